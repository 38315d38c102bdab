"""The champion given to the backtest: today's, unless nothing happened since the same work."""

import json
from pathlib import Path

from pipeline.runner.champion import champion_parameter
from pipeline.runner.ledger import LedgerEntry


def entry(champion: str, live: int | None) -> LedgerEntry:
    return LedgerEntry(
        run_id="r", key="k", started="s", ended="e", status="finished", champion=champion, live=live
    )


def test_no_live_model_means_no_champion() -> None:
    assert champion_parameter(None, None) == ""


def test_the_live_model_is_the_champion(tmp_path: Path) -> None:
    found = json.loads(champion_parameter((7, tmp_path, "abc"), None))
    assert found == {"version": 7, "path": str(tmp_path), "digest": "abc"}


def test_the_run_that_pushed_the_live_model_is_held_against_what_it_beat(tmp_path: Path) -> None:
    former = json.dumps({"version": 5, "path": str(tmp_path), "digest": "old"})
    assert champion_parameter((7, tmp_path, "abc"), entry(former, live=7)) == former
    assert champion_parameter((7, tmp_path, "abc"), entry("", live=7)) == ""


def test_a_rollback_or_a_push_in_between_changes_the_champion(tmp_path: Path) -> None:
    found = json.loads(champion_parameter((5, tmp_path, "old"), entry("", live=7)))
    assert found["version"] == 5


def test_a_retired_champion_is_not_given_again(tmp_path: Path) -> None:
    gone = json.dumps({"version": 5, "path": str(tmp_path / "gone"), "digest": "old"})
    found = json.loads(champion_parameter((7, tmp_path, "abc"), entry(gone, live=7)))
    assert found["version"] == 7
