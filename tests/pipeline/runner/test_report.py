"""What a run leaves for people when it ends badly, or when its report cannot be made."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from components.tracking.session import RunTracker
from components.tracking.store import TrackingStore
from models.errors import BadInputError, DataAnomalyError, FailedRunError
from pipeline.config import LoadedConfig, load
from pipeline.runner.conclude import conclude_failure
from pipeline.runner.display import TerminalDisplay

# Fixtures: pytest finds them here by their names.
from tests.components.conftest import (  # noqa: F401
    migrated_database,
    new_tracking_store,
    tracking_store,
)
from tests.components.report.parsed import Parsed
from tests.components.report.reported import Outcome

RUN = "2026-01-02T03-04-05.000006"
SECRET = "hunter2hunter2"
CONFIG = """
name: small
workspace: workspace
data: {url: "postgresql://me:${DB_PASSWORD}@host/base", table: t, time: time, frequency: h}
task: forecast
targets: [load]
window: {lookback: 12, horizon: 6}
"""


class Ended:
    """A run that an error has ended, in the workspace and in MLflow."""

    def __init__(self, folder: Path, store: TrackingStore) -> None:
        config = folder / "small.yaml"
        config.write_text(CONFIG)
        self.loaded: LoadedConfig = load(config)
        self.tracker = RunTracker(store, "small", self.loaded.workspace)
        self.tracker.start("small run", {})
        self.said = io.StringIO()

    def by(
        self, error: BaseException, *, component: str = "", outcomes: tuple[Outcome, ...] = ()
    ) -> None:
        if component:
            with pytest.raises(type(error)), self.tracker.component(component):
                raise error
        display = TerminalDisplay(self.said)
        words = str(error) or type(error).__name__
        conclude_failure(
            self.loaded, RUN, self.tracker, display, error, words, outcomes  # type: ignore[arg-type]
        )  # fmt: skip

    @property
    def report(self) -> Path:
        return self.loaded.workspace / "reports" / f"{RUN}.html"

    @property
    def tags(self) -> dict[str, str]:
        client = self.tracker.store.client
        return dict(client.get_run(self.tracker.run_id).data.tags)


@pytest.fixture
def ended(
    tmp_path: Path,
    tracking_store: TrackingStore,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Ended:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    return Ended(tmp_path, tracking_store)


def test_a_blocked_run_says_what_is_wrong_with_the_data_and_where_the_log_is(
    ended: Ended,
) -> None:
    anomaly = ("load", "Column dropped", f"test: see postgresql://me:{SECRET}@host/base")
    ended.by(DataAnomalyError("the data breaks its schema", (anomaly,)), component="validate")
    html = ended.report.read_text()
    page = Parsed.of(html)
    assert "Blocked in validate: the data breaks its schema" in page.texts[""]
    assert "load: Column dropped (test: see postgresql://me:***@host/base)" in page.texts[""]
    assert str(ended.loaded.workspace / "logs" / f"{RUN}.log") in page.texts[""]
    assert SECRET not in html
    assert SECRET not in str(ended.tags)
    assert ended.tracker.run_id in page.texts["lineage"]
    assert ended.loaded.digest in page.texts["lineage"]
    assert ["data.url", "postgresql://me:${DB_PASSWORD}@host/base"] in page.tables["config"]
    assert f"report: {ended.report}" in ended.said.getvalue().replace("\n", "")


def test_mlflow_has_the_report_and_a_description_that_links_to_it(
    ended: Ended, tmp_path: Path
) -> None:
    ended.by(FailedRunError("the disk is full"), component="train")
    tags, client = ended.tags, ended.tracker.store.client
    assert (tags["elman.verdict"], tags["elman.failed"]) == ("failed", "train")
    note = tags["mlflow.note.content"]
    assert note.startswith("**Failed in train.** the disk is full")
    assert f"runs/{ended.tracker.run_id}/artifacts/report.html" in note
    assert f"runs/{ended.tracker.nested['train']}" in note
    kept = client.download_artifacts(ended.tracker.run_id, "report.html", str(tmp_path))
    assert Path(kept).read_text() == ended.report.read_text()
    assert client.get_run(ended.tracker.run_id).info.status == "FAILED"


@pytest.mark.parametrize(
    ("error", "verdict", "status"),
    [
        (BadInputError("no such column"), "blocked", "FAILED"),
        (KeyboardInterrupt(), "interrupted", "KILLED"),
    ],
)
def test_the_verdict_can_be_sorted_by(
    ended: Ended, error: BaseException, verdict: str, status: str
) -> None:
    ended.by(error)
    assert ended.tags["elman.verdict"] == verdict
    run = ended.tracker.store.client.get_run(ended.tracker.run_id)
    assert run.info.status == status


def test_a_report_that_cannot_be_made_is_a_warning_and_no_more(
    ended: Ended, tmp_path: Path
) -> None:
    (tmp_path / "examples").mkdir()
    broken = Outcome("ingest", 1, False, 1.0, {"examples": tmp_path / "examples"})
    ended.by(FailedRunError("the disk is full"), component="train", outcomes=(broken,))
    assert not ended.report.exists()
    assert "the report could not be made" in ended.said.getvalue()
    assert ended.tags["elman.verdict"] == "failed"
    assert "report.html" not in ended.tags["mlflow.note.content"]
