"""What a run does about the monitor's decision."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.monitor.report import MonitorReport, write
from models.errors import BadInputError
from pipeline.runner.drift import heed, report_of
from pipeline.runner.launch import NodeOutcome


def outcome(folder: Path, decision: str) -> NodeOutcome:
    write(MonitorReport(decision=decision, summary=f"{decision}: because"), folder)
    return NodeOutcome("monitor", 1, cached=False, seconds=1.0, outputs={"monitor": folder})


@pytest.mark.parametrize(("decision", "over"), [("go", False), ("hold", True)])
def test_a_run_goes_on_or_ends_well(tmp_path: Path, decision: str, over: bool) -> None:
    assert heed(outcome(tmp_path, decision)) is over


def test_a_stop_is_bad_input_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        heed(outcome(tmp_path, "stop"))
    assert caught.value.exit_code == 2
    for words in ("stop: because", "Nothing was trained", "threshold", str(tmp_path)):
        assert words in str(caught.value)


def test_other_components_decide_nothing(tmp_path: Path) -> None:
    other = NodeOutcome("windows", 1, cached=True, seconds=0.0, outputs={"windows": tmp_path})
    assert heed(other) is False
    assert report_of({"windows": other}) is None
    watched = outcome(tmp_path, "go")
    assert report_of({"windows": other, "monitor": watched}).decision == "go"
