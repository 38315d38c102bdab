"""Two runs never share a workspace; a killed holder lets go."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.errors import FailedRunError
from pipeline.runner.lock import locked

HOLDER = """
import sys, time
from pathlib import Path
from pipeline.runner.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_with_the_holder_named_and_a_kill_lets_go(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FailedRunError, match=f"process {holder.pid}"), locked(tmp_path):
            raise AssertionError("two holders")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with locked(tmp_path):
                return
        except FailedRunError:
            time.sleep(0.05)
    raise AssertionError("the lock outlived its holder")


def test_the_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            pass
