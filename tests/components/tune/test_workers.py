"""Processes that run trials: what they say, how they die, and with whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.tune.trial import Epoch, Order, Outcome
from components.tune.workers import Workers
from tests.components.tune.fake_runs import told

ROOT = Path(__file__).resolve().parents[3]


def finish(workers: Workers) -> tuple[list[Epoch], Outcome]:
    """Everything up to the end of a trial."""
    epochs: list[Epoch] = []
    while True:
        for event in workers.wait(60):
            if isinstance(event, Outcome):
                return epochs, event
            epochs.append(event)


def run(workers: Workers, do: str) -> Outcome:
    workers.start(0, Order("0", {"do": do}))
    return finish(workers)[1]


def test_a_trial_that_fails_or_dies_is_told_and_the_next_one_runs() -> None:
    workers = Workers(told, 1)
    try:
        workers.start(0, Order("0", {}))
        epochs, good = finish(workers)
        assert epochs == [Epoch(0, 1, {"val_loss": 0.5})]
        assert (good.val_loss, good.epochs, good.message) == (0.25, 1, "")
        process = good.best_epoch  # the fake says its process id there
        assert process != os.getpid()
        assert run(workers, "fail").message == "no window has room for it"
        assert run(workers, "bug").message == "ZeroDivisionError: a bug"
        assert run(workers, "").best_epoch == process, "a failed trial cost the process"
        killed = run(workers, "die")
        assert killed.broken
        assert killed.val_loss is None
        assert "SIGKILL" in killed.message
        assert "out of memory" in killed.message
        assert "exit code 3" in run(workers, "exit").message
        assert run(workers, "").best_epoch != process
    finally:
        workers.close()


def test_the_cores_are_divided_between_the_slots() -> None:
    workers = Workers(told, 2)
    try:
        assert run(workers, "threads").val_loss == max(1, len(os.sched_getaffinity(0)) // 2)
    finally:
        workers.close()


PARENT = """
from components.tune.trial import Order
from components.tune.workers import Workers
from tests.components.tune.fake_runs import told
if __name__ == "__main__":
    workers = Workers(told, 1)
    workers.start(0, Order("0", {"do": "sleep"}))
    while True:
        workers.wait(None)
"""


def test_a_worker_ends_in_the_middle_of_a_trial_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)  # it is there
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        for _ in range(600):
            try:
                os.kill(worker, 0)
            except ProcessLookupError:
                return
            if Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return  # ended; nobody has asked how
            time.sleep(0.1)
    pytest.fail("the worker outlived its parent")
