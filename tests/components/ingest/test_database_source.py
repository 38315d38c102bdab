"""Tables and queries through SQLAlchemy, with sqlite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from components.ingest import database
from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import content_fingerprint, ingest
from components.ingest.report import IngestReport
from components.ingest.settings import IngestSettings
from models.errors import BadInputError
from models.roles import Roles

ROLES = Roles(targets=("y",))
URL = "sqlite:///readings.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        (str(t), name, i + 0.5 if i % 7 else None)
        for name in ("b", "a")
        for i, t in enumerate(pd.date_range("2024-01-01", periods=50, freq="h"))
    ]
    with sqlite3.connect(tmp_path / "readings.db") as connection:
        connection.execute("CREATE TABLE readings (at TEXT, id TEXT, y REAL, other BLOB)")
        connection.executemany("INSERT INTO readings (at, id, y) VALUES (?, ?, ?)", rows)
        connection.execute("CREATE VIEW seen AS SELECT * FROM readings")
    frame = pd.DataFrame(rows, columns=["at", "id", "y"])
    frame.to_csv(tmp_path / "same.csv", index=False)
    return tmp_path


def config(**more: object) -> DataConfig:
    return DataConfig.model_validate(
        {"url": URL, "time": "at", "series": "id", "frequency": "h", **more}
    )


def run(folder: Path, **more: object) -> IngestReport:
    return ingest(config(**more), SplitConfig(), ROLES, folder, folder / "out")


@pytest.mark.parametrize("rows", [50_000, 7])
def test_a_table_is_the_same_as_its_file(
    folder: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ROWS", rows)
    file = ingest(
        DataConfig(path="same.csv", time="at", series="id", frequency="h"),
        SplitConfig(), ROLES, folder, folder / "out",
    )  # fmt: skip
    for source in (
        {"table": "readings"},
        {"table": "seen"},
        {"query": "SELECT id, at, y FROM readings WHERE at >= '2024-01-01 00:00' ORDER BY y"},
    ):
        report = run(folder, **source)
        assert report.digest == file.digest
        assert report.rows_read == 100


def test_the_fingerprint_is_of_the_rows_in_any_order(folder: Path) -> None:
    def fingerprint(query: str) -> str:
        return content_fingerprint(config(query=query), ROLES, folder)

    one = fingerprint("SELECT at, id, y FROM readings ORDER BY at")
    assert one == fingerprint("SELECT at, id, y FROM readings ORDER BY y, id DESC")
    assert one != fingerprint("SELECT at, id, y FROM readings WHERE y <> 3.5")
    assert run(folder, table="readings").sources[0].sha256 == one


def test_values_of_mixed_types_are_read_as_text(folder: Path) -> None:
    with sqlite3.connect(folder / "readings.db") as connection:
        connection.execute("UPDATE readings SET y = ' 12.25 ' WHERE at = '2024-01-01 05:00:00'")
        connection.execute("UPDATE readings SET y = 'much' WHERE at LIKE '%03:00:00' AND id = 'a'")
    with pytest.raises(BadInputError, match=r"table readings, row 54: unparseable number.*'much'"):
        run(folder, table="readings")
    report = run(folder, table="readings", on_bad_rows="drop")
    assert report.dropped == {"unparseable number": 2}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"table": "reading"}, "no such table; did you mean 'readings'"),
        ({"query": "SELECT at, id FROM readings"}, "no column 'y'"),
        ({"query": "SELEC"}, "syntax error"),
        ({"query": "SELECT at, id, y FROM readings WHERE 0"}, "there are no rows"),
        ({"query": "CREATE TABLE t (a INT)"}, "returns no rows; expected a SELECT"),
        ({"url": "sqlite:///none.db", "table": "t"}, "does not exist"),
        ({"url": "postgres", "table": "t"}, "no database URL"),
        ({"url": "nosuch://h/d", "table": "t"}, "knows no such kind of database"),
        ({"url": "mysql+cymysql://u:p4ssw0rd@h/d", "table": "t"}, "driver is not installed"),
    ],
)
def test_what_can_go_wrong(folder: Path, more: dict[str, object], message: str) -> None:
    with pytest.raises(BadInputError, match=message) as caught:
        run(folder, **more)
    assert "p4ssw0rd" not in str(caught.value)
    assert not (folder / "none.db").exists()


def test_passwords_come_from_the_environment_and_stay_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELMAN_TEST_DATABASE", "readings.db")
    assert run(folder, url="sqlite:///${ELMAN_TEST_DATABASE}", table="readings").series == 2
    url = "postgresql://me:${ELMAN_TEST_DATABASE}@host/base"
    kept = IngestSettings(config(url=url, table="t"), SplitConfig(), ROLES, folder, "c", "s")
    assert "${ELMAN_TEST_DATABASE}" in kept.dumps()
    assert "readings.db" not in kept.dumps()
    assert IngestSettings.loads(kept.dumps()) == kept
    plain = config(url="postgresql://me:p4ssw0rd@host/base", table="t")
    with pytest.raises(BadInputError, match=r"write \$\{NAME\}") as caught:
        IngestSettings(plain, SplitConfig(), ROLES, folder, "c", "s").dumps()
    assert "p4ssw0rd" not in str(caught.value)
