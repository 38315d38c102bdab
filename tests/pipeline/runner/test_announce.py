"""Every end of a run is announced once, to those who asked, and no hook changes how it ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.monitor.report import Check, Finding, MonitorReport, WatchedChampion, write
from models.errors import BadInputError, DataAnomalyError, FailedRunError
from pipeline.config import LoadedConfig, load
from pipeline.runner import run as module
from pipeline.runner.announce import Announcer, result_event
from pipeline.runner.lock import WorkspaceBusyError, locked
from pipeline.runner.result import RunResult
from tests.pipeline.runner.test_result import result as make_result

CONFIG = """\
name: co2
data: {path: data.csv, time: t, frequency: h}
targets: [y]
window: {lookback: 2, horizon: 1}
"""
HOOK = "notify: {command: {run: [/bin/sh, -c, 'cat >> said']}}\n"


@dataclass
class Recorder:
    """A run in MLflow that keeps its warnings."""

    said: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    return written(tmp_path, HOOK)


def written(folder: Path, hook: str) -> LoadedConfig:
    (folder / "data.csv").write_text("t,y\n2020-01-01T00:00:00Z,1\n")
    path = folder / "co2.yaml"
    path.write_text(CONFIG + hook)
    return load(path)


def ending(monkeypatch: pytest.MonkeyPatch, end: RunResult | BaseException) -> Recorder:
    """Makes a run end so, after it was started in MLflow."""
    recorder = Recorder()

    def tracked(*given: Any) -> RunResult:
        announcer: Any = given[-1]
        store = SimpleNamespace(shown="sqlite:///x")
        announcer.tracker = SimpleNamespace(run_id="m1", store=store, recorder=recorder)
        if isinstance(end, BaseException):
            raise end
        return end

    monkeypatch.setattr(module, "_tracked", tracked)
    return recorder


def said(loaded: LoadedConfig) -> list[dict[str, Any]]:
    path = loaded.folder / "said"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


PUSHED = {"pushed": True, "version": 7, "directory": "/srv", "reason": "pushed as version 7"}
SAME = {**PUSHED, "pushed": False, "reason": "already live as version 7"}
NOTHING = {**SAME, "version": None, "reason": "the serving check failed: slow"}


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"push": PUSHED, "live": 7}, "promoted", "version 7 is live"),
        ({"push": SAME, "live": 7}, None, ""),
        ({"push": NOTHING, "live": 6}, "not_blessed", "the blessed model was not pushed"),
        ({"push": NOTHING, "blessed": False, "winner": None}, "not_blessed", "no model was"),
        ({"push": NOTHING, "blessed": False, "winner": None, "held": True}, None, ""),
    ],
)
def test_what_a_finished_run_says(
    loaded: LoadedConfig,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    kind: str | None,
    words: str,
) -> None:
    result = make_result(**changes)
    recorder = ending(monkeypatch, result)
    assert module.run_pipeline(loaded) is result
    assert [event["kind"] for event in said(loaded)] == ([kind] if kind else [])
    for event in said(loaded):
        assert words in event["title"]
        assert result.summary in event["text"]
        assert event["fields"]["scores"] == {
            name: scores.get(result.metric) for name, scores in result.models.items()
        }
        assert event["pipeline"] == "co2"
        assert event["config"] == str(loaded.path)
        assert (event["mlflow_uri"], event["mlflow_run_id"]) == ("sqlite:///x", "m1")
    assert recorder.said == []


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (BadInputError("no such column"), "blocked", "no such column"),
        (DataAnomalyError("broken", (("y", "short", "long"),)), "blocked", "broken"),
        (FailedRunError("loss is nan"), "failed", "loss is nan"),
        (RuntimeError("at http://me:pw@host/x"), "failed", "RuntimeError: at http://me:***@host/x"),
    ],
)
def test_what_a_run_that_raises_says(
    loaded: LoadedConfig,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: str,
    text: str,
) -> None:
    ending(monkeypatch, error)
    with pytest.raises(type(error)):
        module.run_pipeline(loaded)
    [event] = said(loaded)
    assert (event["kind"], event["text"]) == (kind, text)
    assert event["fields"]["error"] == type(error).__name__
    if isinstance(error, DataAnomalyError):
        assert event["fields"]["anomalies"] == [["y", "short", "long"]]


def test_a_run_stopped_from_the_keyboard_says_nothing(
    loaded: LoadedConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        module.run_pipeline(loaded)
    assert said(loaded) == []


def test_what_ends_before_anything_is_tracked_is_announced_too(loaded: LoadedConfig) -> None:
    (loaded.folder / "data.csv").unlink()
    with pytest.raises(BadInputError):
        module.run_pipeline(loaded)
    [event] = said(loaded)
    assert event["kind"] == "blocked"
    assert "data.csv" in event["text"]
    assert event["mlflow_run_id"] == ""


def test_a_busy_workspace_is_a_failed_run(loaded: LoadedConfig) -> None:
    loaded.workspace.mkdir()
    with locked(loaded.workspace), pytest.raises(WorkspaceBusyError):
        module.run_pipeline(loaded)
    assert [event["kind"] for event in said(loaded)] == ["failed"]


@pytest.mark.parametrize("end", ["result", "error"])
def test_a_hook_that_fails_is_a_warning_in_mlflow_and_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    loaded = written(tmp_path, "notify: {command: {run: [/bin/sh, -c, 'echo oh; exit 3']}}\n")
    result = make_result(push=PUSHED)
    recorder = ending(monkeypatch, result if end == "result" else FailedRunError("why"))
    if end == "result":
        assert module.run_pipeline(loaded) is result
    else:
        with pytest.raises(FailedRunError, match=r"^why$"):
            module.run_pipeline(loaded)
    assert recorder.said == ["the command sh ended with exit code 3: oh"]
    [log] = (loaded.workspace / "logs").glob("*.log")
    assert "exit code 3: oh" in log.read_text()


def test_mlflow_being_away_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = written(tmp_path, "notify: {command: {run: ['false']}}\n")
    result = make_result(push=PUSHED)
    recorder = ending(monkeypatch, result)

    def away(_: str) -> None:
        raise FailedRunError("could not record tags")

    monkeypatch.setattr(recorder, "warn", away)
    assert module.run_pipeline(loaded) is result


def test_drift_is_said_first_whichever_way_the_run_ends(
    loaded: LoadedConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = Finding(
        subject="y", measure="ratio", value=3.0, threshold=1.5, level=None, ranges=0, rank=None,
        limit=1.5, drifted=True,
    )  # fmt: skip
    quiet = found.model_copy(update={"subject": "x", "drifted": False})
    times = dict.fromkeys(("train_start", "train_end", "data_end"), "2020-01-01T00:00:00Z")
    report = MonitorReport(
        decision="stop",
        summary="the champion no longer fits",
        reasons=("its error is 3 times that of its backtest",),
        champion=WatchedChampion(version="6", digest="d", reference="model", **times),
        checks=(
            Check(name="data", action="warn", state="steady"),
            Check(name="concept", action="stop", state="drifted", findings=(found, quiet)),
        ),
    )
    write(report, tmp_path / "monitor")
    outcome = SimpleNamespace(node="monitor", outputs={"monitor": tmp_path / "monitor"})

    def tracked(*given: Any) -> RunResult:
        given[-1].saw(SimpleNamespace(node="windows", outputs={}))
        given[-1].saw(outcome)
        raise BadInputError("stopped for drift")

    monkeypatch.setattr(module, "_tracked", tracked)
    with pytest.raises(BadInputError):
        module.run_pipeline(loaded)
    first, second = said(loaded)
    assert (first["kind"], second["kind"]) == ("drift", "blocked")
    assert first["text"].splitlines() == [report.summary, *report.reasons]
    assert first["fields"] == {
        "decision": "stop",
        "champion": "6",
        "checks": {"concept": {"action": "stop", "findings": {"y": {"value": 3.0, "limit": 1.5}}}},
    }


def test_without_hooks_nothing_is_said(tmp_path: Path) -> None:
    announcer = Announcer(written(tmp_path, ""), "r1")
    announcer.finished(make_result(push=PUSHED))
    assert result_event(make_result(push=PUSHED)) is not None


def test_hooks_are_no_part_of_the_digest(tmp_path: Path) -> None:
    assert written(tmp_path, HOOK).digest == written(tmp_path, "").digest
