"""The ledger keeps every run and survives a torn line."""

from pathlib import Path

from pipeline.runner.ledger import NAME, LedgerEntry, append, entries, last_with_key


def entry(run_id: str, key: str = "k", status: str = "finished") -> LedgerEntry:
    return LedgerEntry.model_validate(
        {"run_id": run_id, "key": key, "started": "s", "ended": "e", "status": status}
    )


def test_what_was_appended_comes_back_in_order(tmp_path: Path) -> None:
    written = [entry(str(i)) for i in range(5)]
    for item in written:
        append(tmp_path, item)
    assert list(entries(tmp_path)) == written


def test_a_torn_line_loses_itself_only(tmp_path: Path) -> None:
    append(tmp_path, entry("1"))
    with (tmp_path / NAME).open("a") as file:
        file.write('{"run_id": "torn", "ke')
    append(tmp_path, entry("2"))
    assert [e.run_id for e in entries(tmp_path)] == ["1", "2"]


def test_only_finished_runs_of_the_key_count(tmp_path: Path) -> None:
    for item in (entry("1"), entry("2", "other"), entry("3", status="failed")):
        append(tmp_path, item)
    found = last_with_key(tmp_path, "k")
    assert found is not None
    assert found.run_id == "1"
    assert last_with_key(tmp_path, "nothing") is None


def test_an_empty_workspace_has_no_entries(tmp_path: Path) -> None:
    assert list(entries(tmp_path)) == []
