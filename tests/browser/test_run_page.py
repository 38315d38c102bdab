"""MLflow's page of a run, by `elman ui` as a person starts it."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from components.tracking.pages import run_page, runs_page
from components.tracking.session import RunTracker
from components.tracking.store import TrackingStore
from pipeline.config import load
from pipeline.runner.conclude import conclude
from pipeline.runner.display import TerminalDisplay
from pipeline.runner.report import publish
from pipeline.runner.result import NodeResult, PushResult, RunResult
from pipeline.tasks.task import DataResult
from tests.browser.conftest import Watched
from tests.components.report.reported import Artifacts, make_artifacts

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
name: small
workspace: workspace
data: {path: load.csv, time: time, series: series, frequency: h}
task: forecast
targets: [load]
window: {lookback: 12, horizon: 6}
"""


@dataclass(frozen=True)
class Kept:
    """A run in a workspace of its own."""

    config: Path
    artifacts: Artifacts
    tracker: RunTracker


@pytest.fixture
def kept(tracking_store: TrackingStore, tmp_path: Path) -> Kept:
    """A run that has ended well: its report and its conclusion are those of any run."""
    config = tmp_path / "small.yaml"
    config.write_text(CONFIG)
    artifacts = make_artifacts(tmp_path)
    loaded, evaluation = load(config), artifacts.evaluation
    display = TerminalDisplay(io.StringIO())
    tracker = RunTracker(tracking_store, "small", tmp_path / "workspace")
    tracker.start("small run", {"model.cell": "gru"})
    result = RunResult(
        name="small",
        run_id="2026-01-02T03-04-05.000006",
        data=DataResult(
            start="2020-01-01T00:00:00Z", end="2020-02-01T00:00:00Z", rows=676, dropped=14,
            series=2, frequency="h", digest="cd" * 32,
        ),
        unit="windows",
        windows={"train": 366, "validation": 98, "test": 146},
        metric="mae",
        higher_is_better=False,
        shown=("mae", "mase", "skill"),
        models={name: scores.model_dump() for name, scores in evaluation.models.items()},
        blessed=True,
        winner="candidate",
        summary=evaluation.verdict.summary,
        reasons=evaluation.verdict.reasons,
        push=PushResult(pushed=True, version=17, directory="d", reason="pushed as version 17"),
        live=17,
        mlflow_uri=tracking_store.shown,
        mlflow_run_id=tracker.run_id,
        nodes=(NodeResult(node="train", cached=False, seconds=1.0, execution_id=13),),
        seconds=66.0,
    )  # fmt: skip
    report = publish(loaded, result, artifacts.outcomes, tracker, display)
    conclude(tracker, result, artifacts.outcomes, verdict="blessed", report=report)
    return Kept(config, artifacts, tracker)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address(kept: Kept) -> Iterator[str]:
    """Where `elman ui` has MLflow, once it answers."""
    port = free_port()
    words = [sys.executable, "-m", "pipeline.cli.main", "ui", str(kept.config), "--port", str(port)]
    process = subprocess.Popen(
        words, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        start = said.index(f"http://127.0.0.1:{port}/")
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield said[start:].split()[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 0
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.1:{port}/health", timeout=5)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        try:
            with urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except URLError:
            time.sleep(0.3)
    raise AssertionError(f"elman ui ended with {process.returncode}")


def test_the_run_page_shows_verdict_curves_and_report(
    watch: Callable[..., Watched], kept: Kept, address: str
) -> None:
    summary = kept.artifacts.evaluation.verdict.summary
    watched = watch(viewport={"width": 1400, "height": 1000})
    page = watched.page

    run, experiment = kept.tracker.run_id, kept.tracker.experiment_id
    assert address.endswith(f"/{runs_page(experiment)}")
    server = address.partition("#")[0]

    # Where people are sent first: the list of runs, and one click further the run.
    page.goto(address)
    page.get_by_role("link", name="small run").first.click()
    page.get_by_role("tab", name="Overview").wait_for()
    assert f"/runs/{run}" in page.url
    page.locator("strong", has_text=summary).wait_for()
    assert page.get_by_role("cell", name="seasonal_naive", exact=True).first.is_visible()
    assert "artifacts/report.html" in (
        page.get_by_role("link", name="Report", exact=True).get_attribute("href") or ""
    )

    page.goto(f"{server}#/experiments/{experiment}/runs/{run}/model-metrics")
    for curve in ("by_epoch", "by_horizon"):
        page.get_by_text(curve, exact=False).first.wait_for()
    page.locator(".js-plotly-plot").first.wait_for()

    page.goto(server + run_page(experiment, run, "report.html"))
    frame = page.frame_locator("iframe")
    frame.locator("#verdict").wait_for()
    assert frame.locator("#verdict").inner_text() == summary
    assert frame.locator("figure svg").count() == 10
    assert frame.locator("figure svg").first.is_visible()
    assert watched.left == []
