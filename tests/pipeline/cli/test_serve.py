"""`elman serve`: the right engine, the right settings, and a pushed model that answers."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from models.errors import BadInputError
from pipeline.cli.main import cli
from pipeline.cli.serve import engine_of, request_log, serve, settings_of
from pipeline.config import load
from serving.batching.settings import BatchingSettings
from serving.engine.settings import VersionPolicy, models_from_config
from serving.request_log.settings import RequestLogSettings
from serving.server.config_files import read_batching_parameters
from serving.server.settings import AccessLogSettings, ServerSettings
from serving.server.token import TOKEN_VARIABLE
from tests.serving.server.certificates import Certificates, make_certificates
from tests.serving.tensorflow_model_server.fake_binary import FakeBinary, fake_binary

ROOT = Path(__file__).parents[3]
PATIENCE = 240.0
CONFIG = "name: a\ndata: {path: d.csv, time: t, frequency: h}\ntargets: [y]\n" + (
    "window: {lookback: 48, horizon: 24}\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(CONFIG)
    return tmp_path / "a.yaml"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_binary_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def elman(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["serve", *map(str, arguments)])


def settings(config: Path, *arguments: object) -> ServerSettings:
    """What the command line makes of its options."""
    with serve.make_context("serve", [str(config), *map(str, arguments)]) as context:
        given = {name: value for name, value in context.params.items() if name != "config"}
    return settings_of("a", config.parent / "workspace" / "serving" / "a", given)


def test_the_defaults(config: Path) -> None:
    made = settings(config)
    (model,) = made.models
    assert model.name == "a"
    assert model.base_path == config.parent / "workspace" / "serving" / "a"
    assert model.policy == VersionPolicy.newest()
    assert (made.host, made.grpc_port, made.rest_port) == ("127.0.0.1", 8500, 8501)
    assert made.tls is made.token is None
    assert made.batching == BatchingSettings()
    assert made.access_log == AccessLogSettings()


def test_every_option_has_its_place(
    config: Path, tmp_path: Path, certificates: Certificates
) -> None:
    (tmp_path / "token").write_text("a-token-of-enough-letters\n")
    made = settings(
        config,
        *("--rest-port", 1, "--grpc-port", 2, "--bind", "0.0.0.0"),
        *("--versions", "3,4", "--label", "stable=3", "--label", "next=4"),
        *("--tls-cert", certificates.server.certificate, "--tls-key", certificates.server.key),
        *("--client-ca", certificates.ca, "--token-file", tmp_path / "token"),
        *("--max-batch-size", 8, "--batch-timeout-ms", 1.5, "--max-queued-batches", 3),
        *("--access-log", "-", "--drain-seconds", 2, "--ready-file", tmp_path / "ready"),
    )
    (model,) = made.models
    assert model.policy == VersionPolicy.only(3, 4)
    assert model.labels == {"stable": 3, "next": 4}
    assert (made.host, made.grpc_port, made.rest_port) == ("0.0.0.0", 2, 1)
    assert made.tls is not None
    assert made.tls.client_ca == certificates.ca.read_bytes()
    assert made.token == "a-token-of-enough-letters"
    assert made.batching == BatchingSettings(
        max_batch_size=8, batch_timeout_micros=1500, max_enqueued_batches=3
    )
    assert made.access_log.destination == "-"
    assert made.drain_seconds == 2
    assert made.ready_file == tmp_path / "ready"


@pytest.mark.parametrize(
    ("section", "options", "expected"),
    [
        ("", [], None),
        ("", ["--request-log", "/logs"], ("/logs", 0.01)),
        ("", ["--request-log-sample", 0.5], ("workspace/requests/a", 0.5)),
        ("{sample: 0.2}", [], ("workspace/requests/a", 0.2)),
        ("{sample: 0.2, directory: kept}", [], ("kept", 0.2)),
        (
            "{sample: 0.2, directory: kept}",
            ["--request-log", "/logs", "--request-log-sample", 1],
            ("/logs", 1.0),
        ),
        ("{sample: 0.2}", ["--no-request-log"], None),
    ],
)
def test_options_of_the_request_log_come_before_the_configuration(
    config: Path, section: str, options: list[object], expected: tuple[str, float] | None
) -> None:
    if section:
        config.write_text(f"{CONFIG}serving: {{request_log: {section}}}\n")
    with serve.make_context("serve", [str(config), *map(str, options)]) as context:
        found = request_log(load(config), context.params)
    if expected is None:
        assert found is None
    else:
        assert found == RequestLogSettings(config.parent / expected[0], sample=expected[1])


def test_batching_can_be_off_or_in_a_file(config: Path, tmp_path: Path) -> None:
    assert settings(config, "--no-batching").batching is None
    (tmp_path / "parameters").write_text("max_batch_size { value: 5 }")
    made = settings(config, "--batching-parameters", tmp_path / "parameters")
    assert made.batching == BatchingSettings(max_batch_size=5)


def test_all_versions(config: Path) -> None:
    assert settings(config, "--versions", "all").models[0].policy == VersionPolicy.all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--versions", "newest"], "--versions newest: expected latest, all, or numbers"),
        (["--versions", "1,,2"], "--versions 1,,2: expected"),
        (["--label", "stable"], "--label stable: expected NAME=VERSION"),
        (["--label", "a/b=1"], "--label a/b=1: expected NAME=VERSION"),
        (["--tls-cert", "c.pem"], "--tls-cert and --tls-key belong together"),
        (["--client-ca", "c.pem"], "--client-ca needs --tls-cert"),
        (["--no-batching", "--max-batch-size", "4"], "--no-batching contradicts"),
        (["--batching-parameters", "f", "--max-batch-size", "4"], "not both"),
        (["--rest-port", "8500"], "cannot share port 8500"),
        (["--token-file", "/nothing/there"], "cannot read the token in /nothing/there"),
        (["--tls-cert", "/nothing", "--tls-key", "/nothing"], "cannot read the certificate"),
        (["--engine", "tf-serving"], "tensorflow_model_server is not on the PATH"),
        (["--engine", "tf-serving", "--bind", "127.0.0.1"], "cannot be bound to 127.0.0.1"),
        (["--engine", "tf-serving", "--access-log", "-"], "it writes no access log"),
        (["--engine", "tf-serving", "--request-log", "x"], "it keeps no requests"),
        (["--no-request-log", "--request-log-sample", "0.5"], "contradicts"),
    ],
)
def test_what_cannot_be_is_told_with_exit_code_2(
    config: Path, arguments: list[str], words: str
) -> None:
    result = elman(config, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_an_engine_is_more_than_tf_serving_can(config: Path) -> None:
    config.write_text(f"{config.read_text()}serving: {{engine: onnx}}\n")
    result = elman(config, "--engine", "tf-serving")
    assert result.exit_code == 2
    assert "it runs no model by onnx" in result.stderr


def test_nothing_pushed_is_told(config: Path) -> None:
    result = elman(config, "--engine", "tf-serving")
    assert f"Warning: nothing was pushed yet; in another terminal: elman run {config}" in (
        result.stderr
    )


class TestEngine:
    @pytest.fixture
    def binary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBinary:
        fake = fake_binary(tmp_path / "bin", "die")
        monkeypatch.setenv("PATH", f"{fake.folder}:{os.environ['PATH']}")
        return fake

    def test_auto_without_the_binary_is_embedded(self, config: Path) -> None:
        assert engine_of("auto", settings(config), bind_given=False) == "embedded"

    def test_auto_with_the_binary_is_tf_serving(self, config: Path, binary: FakeBinary) -> None:
        assert engine_of("auto", settings(config), bind_given=False) == "tf-serving"

    def test_embedded_is_embedded(self, config: Path, binary: FakeBinary) -> None:
        assert engine_of("embedded", settings(config), bind_given=False) == "embedded"

    def test_auto_does_not_use_the_binary_for_what_it_cannot_do(
        self,
        config: Path,
        binary: FakeBinary,
        certificates: Certificates,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv(TOKEN_VARIABLE, "a-token-of-enough-letters")
        pair = certificates.server
        made = settings(config, "--tls-cert", pair.certificate, "--tls-key", pair.key)
        assert engine_of("auto", made, bind_given=True) == "embedded"
        assert capsys.readouterr().err == (
            "Not using tensorflow_model_server: it cannot ask for a bearer token; it listens on "
            "every address and cannot be bound to 127.0.0.1; it has no TLS for REST, only for "
            "gRPC\n"
        )
        with pytest.raises(BadInputError, match="cannot do what is asked"):
            engine_of("tf-serving", made, bind_given=True)

    def test_it_gets_the_model_of_the_config(self, config: Path, binary: FakeBinary) -> None:
        result = elman(config, "--rest-port", 0, "--grpc-port", 0)
        assert result.exit_code == 3
        said = binary.said()
        (model,) = models_from_config(said["files"]["model_config_file"]["text"])
        assert model.name == "a"
        assert model.base_path == config.parent / "workspace" / "serving" / "a"
        assert "enable_batching" in said["given"]
        assert "prometheus" in said["files"]["monitoring_config_file"]["text"]
        assert "listens on every address" in result.stderr


def test_the_files_for_another_machine(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "written"
    result = elman(config, "--max-batch-size", 9, "--write-config", folder)
    assert result.exit_code == 0
    program, *flags = shlex.split(result.stdout)
    assert program == "tensorflow_model_server"
    files = {path.name: path for path in folder.iterdir()}
    assert set(files) == {"models.config", "batching.config", "monitoring.config"}
    assert {f"--model_config_file={files['models.config']}", "--port=8500"} <= set(flags)
    assert read_batching_parameters(files["batching.config"]).max_batch_size == 9
    (model,) = models_from_config(files["models.config"].read_text())
    assert model.name == "a"


def test_files_that_cannot_be_written_are_told(config: Path) -> None:
    result = elman(config, "--write-config", "/proc/nothing")
    assert result.exit_code == 2
    assert "cannot write into /proc/nothing" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["a.yaml", "--engine", "tf-serving"], ["a.yaml", "--label", "x"]]
)
def test_tensorflow_is_not_imported_before_it_is_needed(config: Path, arguments: list[str]) -> None:
    code = (
        "import sys\nfrom pipeline.cli.main import cli\n"
        "try:\n    cli.main(['serve', *sys.argv[1:]])\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'keras', 'tfx', 'mlflow', 'grpc', 'uvicorn', 'duckdb'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_the_documentation_names_every_option_and_no_other() -> None:
    text = (ROOT / "docs" / "serving.md").read_text("utf-8")
    table = text[text.index("## Options") : text.index("Exit codes:")]
    named = set(re.findall(r"--[a-z][a-z-]+", table)) | {"--engine", "--write-config"}
    own = {o for p in serve.params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")}
    assert named == own - {"--debug"}


def test_serve_is_listed_between_status_and_rollback() -> None:
    names = cli.list_commands(click.Context(cli))
    assert names.index("status") < names.index("serve") < names.index("rollback")


@pytest.mark.slow
def test_a_pushed_model_answers_and_so_does_the_next_one(config: Path, tmp_path: Path) -> None:
    import numpy as np

    from components.push.publish import publish
    from components.push.repository import ModelRepository
    from tests.pipeline.cli.small_model import export_small_model

    repository = ModelRepository(tmp_path / "workspace" / "serving" / "a")
    first, second = (export_small_model(tmp_path / f"model-{i}", seed=i) for i in (1, 2))
    publish(repository, first.folder, keep=3, registry=None, clock=lambda: 100)
    ready = tmp_path / "ready.json"
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pipeline.cli.main", "serve", str(config)),
                *("--rest-port", "0", "--grpc-port", "0", "--ready-file", str(ready)),
            ],
            stdout=said,
            stderr=said,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def words() -> str:
        return (tmp_path / "said").read_text()

    def until(condition: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert process.poll() is None, words()
            assert time.monotonic() < deadline, words()
            time.sleep(0.1)

    try:
        until(ready.exists)
        told = json.loads(ready.read_text())
        assert told["versions"] == {"a": [100]}
        with httpx.Client(base_url=told["rest_url"], timeout=PATIENCE) as client:

            def versions() -> list[int]:
                states = client.get("/v1/models/a").json()["model_version_status"]
                return [int(s["version"]) for s in states if s["state"] == "AVAILABLE"]

            def forecast() -> Any:
                answer = client.post("/v1/models/a:predict", json={"inputs": first.inputs})
                assert answer.status_code == 200, answer.text
                return np.asarray(answer.json()["outputs"], np.float32)

            np.testing.assert_allclose(forecast(), first.forecast, rtol=1e-5)
            publish(repository, second.folder, keep=3, registry=None, clock=lambda: 200)
            until(lambda: versions() == [200])
            np.testing.assert_allclose(forecast(), second.forecast, rtol=1e-5)
            repository.rollback(clock=lambda: 300)
            until(lambda: versions() == [100])
            np.testing.assert_allclose(forecast(), first.forecast, rtol=1e-5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, words()
    finally:
        process.kill()
        process.wait()
    assert "ready: a 100 | REST" in words()
    assert "Traceback" not in words()
