"""`elman predict`: the live model or a server, whole files, exit codes."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from serving.server.token import TOKEN_VARIABLE
from tests.serving.client.forecasters import SPEC, export, history

ROOT = Path(__file__).parents[3]
PATIENCE = 240.0
CONFIG = """
name: weekly
data: {path: train.csv, time: week, series: site, frequency: W-SAT, gaps: {max: 2}}
targets: [y]
window: {lookback: 8, horizon: 3, gap: 1}
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {v: export(folder / str(v), seed=v) for v in (100, 200)}


@pytest.fixture
def project(tmp_path: Path, models: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, two versions in its serving directory, and an input."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    (tmp_path / "weekly.yaml").write_text(CONFIG)
    for version, model in models.items():
        target = tmp_path / "workspace/serving/weekly" / str(version)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(model, target)
    history(series={"a": 20, "b": 14}).to_csv(tmp_path / "new.csv", index=False)
    return tmp_path


def elman(project: Path, *arguments: object) -> Result:
    os.environ["COLUMNS"] = "200"
    return CliRunner().invoke(cli, ["predict", str(project / "weekly.yaml"), *map(str, arguments)])


def test_the_live_model_forecasts_every_series(project: Path) -> None:
    out = project / "out.csv"
    result = elman(project, "--input", project / "new.csv", "--output", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr == f"2 forecasts of 2 series by version 200 are in {out}.\n"
    frame = pd.read_csv(out)
    assert list(frame.columns) == ["site", "origin", "week", "step", "y"]
    assert frame["site"].tolist() == ["a"] * 3 + ["b"] * 3
    assert frame["origin"].unique().tolist() == ["2024-05-18", "2024-04-06"]
    assert frame["week"].tolist()[:3] == ["2024-06-01", "2024-06-08", "2024-06-15"]


def test_a_version_all_origins_and_every_format(project: Path) -> None:
    frames = []
    for name in ("o.csv", "o.parquet", "o.csv.gz"):
        result = elman(
            project, "--input", project / "new.csv", "--output", project / name,
            "--origins", "all", "--version", "100", "--json", "--batch-size", "3",
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        report = json.loads(result.stdout)
        assert report["model"] == "version 100"
        assert report["forecasts"] == (20 - SPEC.lookback + 1) + (14 - SPEC.lookback + 1)
        path = project / name
        frame = pd.read_parquet(path) if name == "o.parquet" else pd.read_csv(path)
        frames.append(frame.assign(week=pd.to_datetime(frame["week"])).drop(columns="origin"))
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], frame, check_dtype=False, rtol=1e-6)
    newest = elman(project, "--input", project / "new.csv", "--origins", "all")
    assert newest.exit_code == 0
    other = pd.read_csv(pd.io.common.StringIO(newest.stdout))
    assert not other["y"].equals(frames[0]["y"])


def test_onnx_forecasts_the_same_and_tensorflow_what_has_no_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.runtimes.onnx import OnnxRuntime

    calls = []
    run = OnnxRuntime.run
    monkeypatch.setattr(OnnxRuntime, "run", lambda *given: calls.append(1) or run(*given))
    assert (
        elman(project, "--input", project / "new.csv", "--output", project / "a.csv").exit_code == 0
    )
    (project / "weekly.yaml").write_text(f"{CONFIG}serving: {{engine: onnx}}\n")
    out = project / "b.csv"
    result = elman(project, "--input", project / "new.csv", "--output", out)
    assert result.exit_code == 0, result.stderr
    assert "version 200 has no model.onnx: TensorFlow runs it." in result.stderr
    assert out.read_text() == (project / "a.csv").read_text()
    assert not calls
    version = project / "workspace/serving/weekly/200"
    shutil.rmtree(version)
    export(version, seed=200, engine="onnx")
    result = elman(project, "--input", project / "new.csv", "--output", out)
    assert result.exit_code == 0, result.stderr
    assert "by version 200" in result.stderr
    assert calls
    pd.testing.assert_frame_equal(pd.read_csv(out), pd.read_csv(project / "a.csv"), rtol=1e-5)


def test_the_standard_output_holds_the_forecasts_and_nothing_else(project: Path) -> None:
    with gzip.open(project / "new.csv.gz", "wt") as stream:
        stream.write((project / "new.csv").read_text())
    result = elman(project, "--input", project / "new.csv.gz")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "site,origin,week,step,y"
    assert len(lines) == 7
    assert "version 200" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "nothing.csv"], "--input 'nothing.csv' does not exist"),
        (["--input", "{new}", "--version", "300"],
         "no version 300 in {serving}; there are 100, 200, of which 200 is live"),
        (["--input", "{new}", "--output", "o.txt"], "cannot tell the format"),
        (["--input", "{new}", "--json"], "--json needs --output"),
        (["--input", "{new}", "--model", "x"], "--model is for --endpoint"),
        (["--input", "{new}", "--token-file", "x"], "--token-file is for --endpoint"),
        (["--input", "{new}", "--endpoint", "localhost"], "expected http(s)://host:port"),
        (["--input", "{new}", "--endpoint", "http://localhost:1", "--token-file", "gone"],
         "cannot read the token in gone"),
        (["--input", "{new}", "--endpoint", "https://localhost:1", "--ca", "gone"],
         "gone: cannot be read"),
        (["--input", "{new}", "--endpoint", "http://localhost:1", "--version", "1", "--label", "a"],
         "a version or a label"),
        ([], "Missing option '--input'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_paragraph(
    project: Path, arguments: list[str], words: str
) -> None:
    names = {"new": str(project / "new.csv"), "serving": str(project / "workspace/serving/weekly")}
    result = elman(project, *(a.format(**names) for a in arguments))
    assert result.exit_code == 2
    assert words.format(**names) in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_model_there_is_nothing_to_predict_with(project: Path) -> None:
    shutil.rmtree(project / "workspace")
    result = elman(project, "--input", project / "new.csv")
    assert result.exit_code == 2
    assert "no model is live" in result.stderr
    assert "elman run" in result.stderr


def test_series_that_are_too_short_fail_or_are_left_out(project: Path) -> None:
    history(series={"a": 20, "b": 5}).to_csv(project / "new.csv", index=False)
    out = project / "out.csv"
    result = elman(project, "--input", project / "new.csv", "--output", out)
    assert result.exit_code == 2
    assert "1 of 2 series cannot be forecast (short 1)" in result.stderr
    assert "series 'b': 5 usable steps of history up to 2024-02-03, and 8 are" in result.stderr
    assert not out.exists()
    result = elman(project, "--input", project / "new.csv", "--output", out, "--skip-short")
    assert result.exit_code == 0
    assert "1 forecast of 1 series by" in result.stderr
    assert "Left out: 1 series (short 1)." in result.stderr
    assert pd.read_csv(out)["site"].unique().tolist() == ["a"]


@pytest.fixture
def server(project: Path) -> Iterator[Callable[..., str]]:
    """Starts the embedded server for the project; gives its URL for a scheme."""
    from tests.serving.contract.embedded import EmbeddedServer, LoopThread
    from tests.serving.contract.engines import Setup
    from tests.serving.contract.setups import entry

    loop = LoopThread()
    serving = project / "workspace/serving"
    running = EmbeddedServer(
        project / "server",
        Setup(
            entry("weekly"),
            {("weekly", v): serving / f"weekly/{v}" for v in (100, 200)},
        ),
        loop,
    )

    def url(scheme: str) -> str:
        port = running.rest_port if scheme == "http" else running.grpc_port
        return f"{scheme}://127.0.0.1:{port}"

    yield url
    running.stop()
    loop.close()


def test_a_server_forecasts_the_same(project: Path, server: Callable[..., str]) -> None:
    given = ["--input", project / "new.csv", "--origins", "all"]
    alone = elman(project, *given, "--output", project / "alone.parquet")
    assert alone.exit_code == 0, alone.stderr
    expected = pd.read_parquet(project / "alone.parquet")
    for scheme in ("http", "grpc"):
        out = project / f"{scheme}.parquet"
        result = elman(
            project, *given, "--output", out, "--endpoint", server(scheme), "--batch-size", 5
        )
        assert result.exit_code == 0, result.stderr
        assert "by version 200 of model 'weekly'" in result.stderr
        pd.testing.assert_frame_equal(pd.read_parquet(out), expected, rtol=1e-5, atol=1e-5)
    shutil.rmtree(project / "workspace")
    result = elman(project, *given, "--endpoint", server("grpc"), "--model", "monthly")
    assert result.exit_code == 2
    assert "the server has no model 'monthly'" in result.stderr
    assert "\n" not in result.stderr.strip()


def test_a_server_that_is_away_is_a_failure(project: Path) -> None:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        result = elman(project, "--input", project / "new.csv", "--endpoint", url, "--retries", 0)
    assert result.exit_code == 1
    assert f"{url}: " in result.stderr
    assert "Traceback" not in result.stderr


SLOW = """
import sys, time
from components.predict.champion import Champion
forecast = Champion.forecast
def slow(self, feed):
    print("forecast", flush=True)
    time.sleep(0.2)
    return forecast(self, feed)
Champion.forecast = slow
from pipeline.cli.main import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.nightly)]
)
def test_killed_in_the_middle_it_leaves_the_old_output(project: Path, how: signal.Signals) -> None:
    out = project / "out.csv"
    out.write_text("as it was")
    process = subprocess.Popen(
        [
            sys.executable, "-c", SLOW, "predict", str(project / "weekly.yaml"),
            "--input", str(project / "new.csv"), "--output", str(out),
            "--origins", "all", "--batch-size", "1",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background inherit that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    end = time.monotonic() + PATIENCE
    for _ in range(3):
        assert process.stdout.readline() == "forecast\n"
        assert time.monotonic() < end
    process.send_signal(how)
    _, err = process.communicate(timeout=PATIENCE)
    assert out.read_text() == "as it was"
    left = [p.name for p in project.iterdir() if p.name.startswith(".")]
    if how is signal.SIGINT:
        assert process.returncode == 130, err
        assert left == []
    else:
        assert all(name.startswith(".out.csv-") for name in left)
    whole: dict[str, Any] = {"origins": "all"}
    result = elman(
        project, "--input", project / "new.csv", "--output", out, "--origins", whole["origins"]
    )
    assert result.exit_code == 0
    assert len(pd.read_csv(out)) == 3 * (13 + 7)
