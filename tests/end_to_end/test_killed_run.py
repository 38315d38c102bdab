"""A run killed in mid-training leaves nothing that looks finished, and is taken up again."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.small_pipeline import (
    environment,
    ledger,
    versions,
    write_config,
    write_data,
)

# In short: test_chaos.py, and the resumed training of tests/models/training.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]
EPOCHS = 6


def epochs_finished(folder: Path) -> int:
    """Epochs of which MLflow has the loss: one is written when an epoch has ended."""
    file = folder / "work" / "mlflow" / "mlflow.db"
    if not file.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            [count] = database.execute(
                "select count(*) from metrics where key = 'val_loss'"
            ).fetchone()
    except sqlite3.OperationalError:  # not migrated yet, or locked for a moment
        return 0
    return int(count)


def test_a_killed_training_resumes_from_its_last_epoch(tmp_path: Path) -> None:
    write_data(tmp_path)
    # An epoch long enough to be killed in the middle of training.
    path = write_config(tmp_path, train__epochs=EPOCHS, train__batch_size=4, model__units=[16])
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", "run", str(path)],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 600
    while epochs_finished(tmp_path) < 2:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "no epoch was finished"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = epochs_finished(tmp_path)
    assert 2 <= done < EPOCHS
    assert versions(tmp_path) == []
    assert not (tmp_path / "work" / "runs.jsonl").exists()

    import mlflow

    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    words = io.StringIO()
    result = run_pipeline(load(path), terminal=words)
    assert "an earlier run was killed" in words.getvalue()
    client = mlflow.MlflowClient(result.mlflow_uri)
    [experiment] = [e for e in client.search_experiments() if e.name == "co2"]
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} <= {"FINISHED", "FAILED", "KILLED"}
    assert client.get_run(result.mlflow_run_id).info.status == "FINISHED"
    [train] = [
        run
        for run in runs
        if run.data.tags.get("mlflow.parentRunId") == result.mlflow_run_id
        and run.data.tags["elman.component"] == "train"
    ]
    resumed = train.data.metrics["resumed_after_epoch"]
    assert resumed in (done - 1, done)  # the kill may fall between the metric and the checkpoint
    steps = {m.step for m in client.get_metric_history(train.info.run_id, "val_loss")}
    assert len(steps) == train.data.metrics["epochs_run"]  # the new run shows the whole curve
    assert [entry["status"] for entry in ledger(tmp_path)] == ["finished"]
    again = {node.node: node.cached for node in result.nodes}
    assert again["ingest"]
    assert again["windows"]
    assert not again["train"]
