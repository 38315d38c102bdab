"""Runs that are killed anywhere, with secrets in their configuration, and the run after them.

The long loop is `make chaos`: this one has three kills.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.small_pipeline import ROOT, environment

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def test_three_kills_and_a_run_that_ends_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.chaos", "--quick", "--kills", "3", "--seed", "7"),
            *("--out", tmp_path / "chaos.json"),
        ],
        cwd=ROOT,
        env={**environment(), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    report = json.loads((tmp_path / "chaos.json").read_text())
    assert not report["wrong"]
    assert sum(report["kills_by_component"].values()) == 3
    last = report["rows"][-1]
    assert last["what"] == "whole (last)"
    assert last["live"] is not None
