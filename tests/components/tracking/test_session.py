"""Runs and nested runs: what is kept, and how they end, whatever ends them."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from components.source_digest import ROOT
from components.tracking.process import identity, is_gone
from components.tracking.recorder import current
from components.tracking.session import RunTracker
from components.tracking.store import TrackingStore


@dataclass
class Heard:
    said: list[Any] = field(default_factory=list)

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        self.said.append((done, total, dict(values)))

    def warn(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def tracker(tracking_store: TrackingStore, tmp_path: Path, heard: Heard) -> RunTracker:
    return RunTracker(tracking_store, "co2", tmp_path / "workspace", heard)


def nested(tracker: RunTracker) -> dict[str, Any]:
    found = tracker.store.client.search_runs(
        [tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{tracker.run_id}'"
    )
    return {run.info.run_name: run for run in found}


def files(store: TrackingStore, run_id: str) -> dict[str, bytes]:
    assert store.artifacts is not None
    root = store.artifacts / run_id / "artifacts"
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_everything_a_component_says_is_kept(
    tracker: RunTracker, heard: Heard, tmp_path: Path
) -> None:
    config = {"model": {"units": [64]}, "data": {"url": "postgresql://me:hunter2@host/b"}}
    tracker.start("first", config, {"elman.name": "co2"}, description="**co2**")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a")
    figure = Figure()
    figure.subplots().plot([1, 2])
    with tracker.component("train") as recorder:
        assert current() is recorder
        current().params({f"p{n}": n for n in range(150)})
        for epoch in range(3):
            current().metrics({"loss": 1 / (epoch + 1), "T (°C)": 2.0}, step=epoch)
        current().metrics({"loss": math.nan, "huge": math.inf}, step=3)
        current().metrics({"loss": math.nan}, step=4)
        current().figure(figure, "figures/loss.png")
        current().data({"mae": np.float32(0.5), "bad": math.nan}, "numbers.json")
        current().file(tmp_path / "folder" / "a.txt", "notes")
        current().file(tmp_path / "folder")
        current().progress(1, 3, {"loss": 0.5})
    assert current() is not recorder
    tracker.tag_execution("train", 7, cached=True)
    tracker.finish("FINISHED", {"elman.verdict": "blessed"}, description="done")

    client = tracker.store.client
    parent = client.get_run(tracker.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.params == {
        "model.units": "[64]",
        "data.url": "postgresql://me:***@host/b",
    }
    tags = parent.data.tags
    assert tags["elman.execution.train"] == "7"
    assert tags["elman.cached.train"] == "true"
    assert (tags["elman.verdict"], tags["mlflow.note.content"]) == ("blessed", "done")

    run = nested(tracker)["train"]
    assert run.info.status == "FINISHED"
    assert len(run.data.params) == 150
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    kept = files(tracker.store, run.info.run_id)
    assert kept["figures/loss.png"].startswith(b"\x89PNG")
    assert json.loads(kept["numbers.json"]) == {"mae": 0.5, "bad": None}
    assert (kept["notes/a.txt"], kept["folder/a.txt"]) == (b"a", b"a")
    assert heard.said == [
        "metric loss is missing at step 3 and was not recorded",
        "metric huge is infinite at step 3 and was not recorded",
        (1, 3, {"loss": 0.5}),
    ]
    assert "huge is infinite" in run.data.tags["elman.warnings"]


def test_a_param_keeps_its_first_value(tracker: RunTracker, heard: Heard) -> None:
    tracker.start("run", {"a": 1})
    tracker.recorder.params({"a": 1, "b": 2})
    tracker.recorder.params({"a": 3})
    assert heard.said == [
        "parameter a stays '1' in the tracking store, which keeps first values; later it was '3'"
    ]
    params = tracker.store.client.get_run(tracker.run_id).data.params
    assert params == {"a": "1", "b": "2"}


def test_a_component_that_says_nothing_leaves_no_run(tracker: RunTracker) -> None:
    tracker.start("run", {})
    with tracker.component("schema"):
        pass
    assert nested(tracker) == {}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no such https://me:hunter2@host"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(3), "FAILED"),
    ],
)
@pytest.mark.parametrize("speaks", [True, False])
def test_a_component_that_fails_is_not_left_finished(
    tracker: RunTracker, error: BaseException, status: str, speaks: bool
) -> None:
    tracker.start("run", {})

    def work() -> None:
        with tracker.component("train") as recorder:
            if speaks:
                recorder.metrics({"loss": 1.0}, step=0)
            raise error

    with pytest.raises(type(error)):
        work()
    run = nested(tracker)["train"]
    assert run.info.status == status
    assert type(error).__name__ in run.data.tags["elman.error"]
    assert "hunter2" not in run.data.tags["elman.error"]
    tracker.finish("FAILED", error=error)
    assert tracker.store.client.get_run(tracker.run_id).info.status == "FAILED"


def test_data_is_named(tracker: RunTracker) -> None:
    tracker.start("run", {})
    tracker.log_dataset(
        "co2",
        source="postgresql://me:hunter2@host/b",
        digest="d" * 64,
        schema={"co2": "double"},
        profile={"rows": 10, "nan": math.nan},
    )
    run = tracker.store.client.get_run(tracker.run_id)
    [given] = run.inputs.dataset_inputs
    assert given.dataset.digest == "d" * 36
    assert json.loads(given.dataset.source) == {"uri": "postgresql://me:***@host/b"}
    assert json.loads(given.dataset.profile) == {"rows": 10, "nan": None}
    [column] = json.loads(given.dataset.schema)["mlflow_colspec"]
    assert (column["name"], column["type"]) == ("co2", "double")
    assert run.data.tags["elman.data.digest"] == "d" * 64


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_revision_of_the_config_is_tagged(
    tracker: RunTracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tags() -> dict[str, str]:
        run_id = tracker.start("run", {}, source=tmp_path / "repository" / "co2.yaml")
        found: dict[str, str] = tracker.store.client.get_run(run_id).data.tags
        return found

    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "co2.yaml").write_text("name: co2")
    assert "mlflow.source.git.commit" not in tags()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    clean = tags()
    assert clean["mlflow.source.git.commit"] == git(folder, "rev-parse", "HEAD")
    assert (clean["mlflow.source.git.branch"], clean["elman.git.dirty"]) == ("main", "false")
    (folder / "co2.yaml").write_text("name: other")
    assert tags()["elman.git.dirty"] == "true"
    monkeypatch.setenv("PATH", str(tmp_path))  # a machine without git
    assert "mlflow.source.git.commit" not in tags()


KILLED = """
import os, signal, sys
from pathlib import Path
from components.tracking.session import RunTracker
from components.tracking.store import open_store

workspace = Path(sys.argv[1])
tracker = RunTracker(open_store(None, workspace), "co2", workspace)
tracker.start("run", {}, description="about")
with tracker.component("train") as recorder:
    recorder.metrics({"loss": 1.0}, step=0)
    print(tracker.run_id, recorder.run_id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_closed_by_the_next(tracker: RunTracker, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "workspace"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = done.stdout.split()
    client = tracker.store.client
    assert [client.get_run(r).info.status for r in left] == ["RUNNING", "RUNNING"]

    # A run of this living process, and one of another host, are not touched.
    own = tracker.start("alive", {})
    far = client.create_run(
        tracker.experiment_id,
        tags={**identity(), "elman.host": "elsewhere", "elman.workspace": tracker._workspace},
    ).info.run_id
    assert sorted(tracker.close_orphans()) == sorted(left)
    assert [client.get_run(r).info.status for r in (*left, own, far)] == [
        "KILLED",
        "KILLED",
        "RUNNING",
        "RUNNING",
    ]
    note = client.get_run(left[0]).data.tags["mlflow.note.content"]
    assert note.startswith("about\n\nKilled: process ")
    assert client.get_run(left[0]).info.end_time is not None

    # With the workspace locked, nobody else can be alive in it.
    tracker.finish()
    assert tracker.close_orphans(locked=True) == (far,)
    assert tracker.close_orphans(locked=True) == ()


def test_runs_of_another_workspace_are_left_alone(
    tracker: RunTracker, tmp_path: Path, heard: Heard
) -> None:
    other = RunTracker(tracker.store, "co2", tmp_path / "copy", heard)
    run_id = other.start("theirs", {})
    assert tracker.close_orphans(locked=True) == ()
    assert tracker.store.client.get_run(run_id).info.status == "RUNNING"


def test_a_process_is_known_by_more_than_its_number() -> None:
    me = identity()
    assert not is_gone(me)
    assert is_gone({**me, "elman.process_start": "1"})
    assert is_gone({**me, "elman.boot": "another boot"})
    assert not is_gone({**me, "elman.host": "elsewhere", "elman.boot": "another boot"})
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    theirs = {**me, "elman.pid": str(child.pid)}
    start = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    assert not is_gone({**theirs, "elman.process_start": start})
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie: dead, not yet reaped
    assert is_gone({**theirs, "elman.process_start": start})
    child.communicate()
    assert is_gone({**theirs, "elman.process_start": start})
