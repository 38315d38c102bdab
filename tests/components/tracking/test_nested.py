"""Runs below a component's run: trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.tracking.recorder import SilentRecorder
from components.tracking.session import RunTracker
from components.tracking.store import TrackingStore


def test_trials_are_runs_below_the_components_run(
    tracking_store: TrackingStore, tmp_path: Path
) -> None:
    tracker = RunTracker(tracking_store, "e", tmp_path / "workspace")
    tracker.start("run", {})
    with tracker.component("tune") as recorder:
        first = recorder.nested("trial 0", {"elman.trial": "0"})
        second = recorder.nested("trial 1", {"elman.trial": "1"})  # open at the same time
        first.params({"model.units": [8]})
        second.metrics({"val_loss": 0.25}, step=1)
        first.end("FAILED", "the loss is nan")
        second.end("FINISHED")
        with pytest.raises(RuntimeError, match="cannot hold another one"):
            first.nested("deeper", {})
        recorder.nested("trial 2", {"elman.trial": "2"})  # never ended: a kill
    client = tracking_store.client
    runs = {r.info.run_name: r for r in client.search_runs([tracker.experiment_id])}
    parent = runs["tune"].info.run_id
    for name in ("trial 0", "trial 1", "trial 2"):
        assert runs[name].data.tags["mlflow.parentRunId"] == parent
    assert runs["trial 0"].info.status == "FAILED"
    assert runs["trial 0"].data.params == {"model.units": "[8]"}
    assert "the loss is nan" in runs["trial 0"].data.tags["elman.error"]
    assert runs["trial 1"].info.status == "FINISHED"
    assert runs["trial 1"].data.metrics == {"val_loss": 0.25}
    # What a kill leaves open is closed with the rest at the next start.
    later = RunTracker(tracking_store, "e", tmp_path / "workspace")
    assert runs["trial 2"].info.run_id in later.close_orphans(locked=True)


def test_outside_a_run_nothing_is_recorded() -> None:
    part = SilentRecorder().nested("trial", {})
    part.metrics({"val_loss": 1.0}, step=1)
    part.end("FINISHED")
