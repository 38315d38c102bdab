"""A growing file or table, cut by time: each night reads the end, and gets what one file gives."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from components.ingest import database
from components.ingest.config import DataConfig
from components.ingest.ingest import ingest
from components.ingest.report import IngestReport
from components.spans import growing
from tests.components.spans.cutting import ROLES, WIDE, Night, same, settings

DAYS = 6


def rows(first: int, last: int, value: float = 1.0) -> pd.DataFrame:
    """Hours `first` to `last` (exclusive) since 2024-01-01."""
    times = [pd.Timestamp("2024-01-01") + pd.Timedelta(hours=h) for h in range(first, last)]
    return pd.DataFrame(
        {"t": [str(t) for t in times], "id": "a", "y": value, "x": range(first, last), "k": "c"}
    )


class File:
    """A CSV file at whose end rows appear."""

    def __init__(self, base: Path) -> None:
        self.path = base / "all.csv"
        self.data = settings("all.csv", spans={"period": "D"})

    def append(self, frame: pd.DataFrame) -> None:
        frame.to_csv(self.path, index=False, mode="a", header=not self.path.exists())


class Table:
    """A database table."""

    def __init__(self, base: Path) -> None:
        self.path = base / "all.db"
        self.data = settings(None, url="sqlite:///all.db", table="readings", spans={"period": "D"})

    def append(self, frame: pd.DataFrame) -> None:
        with sqlite3.connect(self.path) as connection:
            frame.to_sql("readings", connection, if_exists="append", index=False)


class Query(Table):
    """A query with a bound."""

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        query = "SELECT * FROM readings WHERE t >= {since} AND id <> 'b'"
        self.data = settings(None, url="sqlite:///all.db", query=query, spans={"period": "D"})


def whole(data: DataConfig, base: Path) -> IngestReport:
    query = None if data.query is None else data.query.replace("{since}", "'1700'")
    plain = data.model_copy(update={"spans": None, "query": query})
    return ingest(plain, WIDE, ROLES, base, base / "one")


@pytest.mark.parametrize("kind", [File, Table, Query])
def test_every_night_equals_one_ingestion_of_all_rows(
    kind: type[File | Table], tmp_path: Path
) -> None:
    source = kind(tmp_path)
    night = Night(source.data, tmp_path)
    source.append(rows(0, 40))
    night.run()
    assert night.ingested == ["2024-01-01", "2024-01-02"]
    assert not same(whole(source.data, tmp_path), night.joined())
    # The second day goes on, a third begins, and a row of the first day comes late.
    source.append(rows(41, 60))
    night.run()
    assert night.ingested == ["2024-01-02 (version 1)", "2024-01-03"]
    source.append(rows(40, 41))
    before = night.plan().fingerprint
    night.run()
    assert night.ingested == ["2024-01-02 (version 2)"]
    assert night.plan().fingerprint == before
    assert not same(whole(source.data, tmp_path), night.joined())
    night.run()
    assert night.ingested == []


def test_only_the_end_of_a_table_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Table(tmp_path)
    source.append(rows(0, 24 * DAYS))
    night = Night(source.data, tmp_path)
    night.run()
    source.append(rows(24 * DAYS, 24 * DAYS + 5))
    seen: list[int] = []
    extract = database.extract

    def counted(*arguments: object) -> database.Extract:
        found = extract(*arguments)  # type: ignore[arg-type]
        seen.append(found.rows)
        return found

    monkeypatch.setattr(database, "extract", counted)
    night.run()
    assert night.ingested == ["2024-01-07"]
    # The newest known day and the one before it (late: 1), a day of margin, and the new rows.
    assert seen == [24 * 3 + 5]


def test_a_file_that_has_not_changed_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = File(tmp_path)
    source.append(rows(0, 40))
    night = Night(source.data, tmp_path)
    before = night.run().fingerprint
    monkeypatch.setattr(growing, "read_files", lambda *_: pytest.fail("read again"))
    assert night.plan().fingerprint == before


def test_rows_that_come_too_late_need_a_larger_late(tmp_path: Path) -> None:
    source = Table(tmp_path)
    source.append(pd.concat([rows(0, 5), rows(6, 24 * 4)]))
    night = Night(source.data, tmp_path)
    night.run()
    source.append(rows(5, 6))
    assert night.run().good
    assert night.ingested == []
    assert source.data.spans is not None
    spans = source.data.spans.model_copy(update={"late": 3})
    patient = Night(source.data.model_copy(update={"spans": spans}), tmp_path)
    source.append(rows(24 * 4, 24 * 4 + 1))
    patient.run()
    assert patient.ingested == ["2024-01-01 (version 1)", "2024-01-05"]
    assert not same(whole(source.data, tmp_path), patient.joined())


def test_a_file_is_looked_through_for_rows_however_late(tmp_path: Path) -> None:
    source = File(tmp_path)
    source.append(pd.concat([rows(0, 5), rows(6, 24), rows(48, 24 * 5)]))
    night = Night(source.data, tmp_path)
    night.run()
    source.append(pd.concat([rows(5, 6), rows(24, 48)]))
    night.run()
    assert night.ingested == ["2024-01-01 (version 1)", "2024-01-02"]
    assert not same(whole(source.data, tmp_path), night.joined())


def test_a_bad_row_blocks_its_day_and_one_without_a_time_the_newest(tmp_path: Path) -> None:
    source = File(tmp_path)
    source.append(pd.concat([rows(0, 30), rows(30, 31).assign(y="oops"), rows(31, 60)]))
    night = Night(source.data, tmp_path)
    done = night.run()
    assert [e.span.label for e in done.blocked.values()] == ["2024-01-02"]
    fixed = pd.concat([rows(0, 59), rows(59, 60).assign(t="never")])
    source.path.unlink()
    source.append(fixed)
    done = night.run()
    assert [e.span.label for e in done.blocked.values()] == ["2024-01-03"]
    assert "unparseable time" in next(iter(done.blocked.values())).error
    source.path.unlink()
    source.append(rows(0, 60))
    assert not night.run().blocked
    assert not same(whole(source.data, tmp_path), night.joined())


def test_dropped_rows_are_counted_once(tmp_path: Path) -> None:
    source = File(tmp_path)
    data = source.data.model_copy(update={"on_bad_rows": "drop"})
    bad = rows(30, 32).assign(y=["oops", "1"], t=lambda f: [f["t"].iloc[0], "never"])
    source.append(pd.concat([rows(0, 30), bad, rows(32, 40)]))
    night = Night(data, tmp_path)
    night.run()
    source.append(rows(40, 60))
    night.run()
    assert not same(whole(data, tmp_path), night.joined())


@pytest.mark.parametrize(
    ("period", "labels"),
    [
        ("h", ["2024-01-01 00:00", "2024-01-01 01:00"]),
        ("D", ["2024-01-01", "2024-01-02"]),
        ("W-SAT", ["2023-12-31/2024-01-06"]),
        ("M", ["2024-01"]),
        ("Q", ["2024Q1"]),
    ],
)
def test_periods_are_those_of_pandas(period: str, labels: list[str], tmp_path: Path) -> None:
    source = File(tmp_path)
    source.append(rows(0, 40))
    night = Night(settings("all.csv", spans={"period": period, "keep": None}), tmp_path)
    found = [span.label for span in night.plan().wanted]
    assert found[: len(labels)] == labels
    assert night.plan().wanted[0].number == pd.Period("2024-01-01", period).ordinal
