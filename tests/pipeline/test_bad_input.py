"""Bad input of every kind: its own readable message, exit code 2, and nothing left behind."""

from __future__ import annotations

import gzip
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli

CONFIG = """\
name: demo
data:
  path: data.csv
  time: date
  frequency: h
targets: [y]
window: {lookback: 24, horizon: 6}
"""


def lines(steps: int = 400) -> list[str]:
    start = datetime(2024, 1, 1)  # noqa: DTZ001
    stamps = [(start + timedelta(hours=i)).isoformat(sep=" ") for i in range(steps)]
    return ["date,y", *(f"{stamp},{i % 24}.5" for i, stamp in enumerate(stamps))]


def csv(text: str | None = None, /, **changed: str) -> Callable[[Path], None]:
    """Writes data.csv: `text`, or good lines with some changed: `line7="..."`."""

    def write(folder: Path) -> None:
        good = lines()
        for key, value in changed.items():
            good[int(key.removeprefix("line")) - 1] = value
        (folder / "data.csv").write_text("\n".join(good) + "\n" if text is None else text)

    return write


def raw(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def database(folder: Path) -> None:
    with sqlite3.connect(folder / "base.db") as connection:
        connection.execute("CREATE TABLE readings (date TEXT, y REAL)")
        connection.executemany(
            "INSERT INTO readings VALUES (?, ?)", [line.split(",") for line in lines()[1:]]
        )
    connection.close()


def parquet(folder: Path) -> None:
    pq.write_table(pa.table({"date": ["2024-01-01"], "z": [1.0]}), folder / "data.parquet")


def nothing(folder: Path) -> None:
    """No data at all."""


@dataclass(frozen=True)
class Case:
    """Files, changes of the configuration, and words that the message must have."""

    make: Callable[[Path], None]
    words: tuple[str, ...]
    edits: tuple[tuple[str, str], ...] = field(default=())


def source(new: str) -> tuple[tuple[str, str], ...]:
    return (("path: data.csv", new),)


MIB = b"date,y\n" + b"".join(f"{line}\n".encode() for line in lines()[1:])

DATA = {
    "file missing": Case(nothing, ("'data.csv'", "does not exist")),
    "glob without match": Case(csv(), ("'x*.csv'", "matches no file"), source("path: x*.csv")),
    "a folder": Case(lambda f: (f / "d").mkdir(), ("folder", "d/*.csv"), source("path: d")),
    "unknown format": Case(raw("d.xls", b"x"), ("data.format", ".xls"), source("path: d.xls")),
    "empty file": Case(csv(""), ("data.csv", "empty")),
    "header only": Case(csv("date,y\n"), ("data", "row")),
    "blank header": Case(csv("\n\n2024-01-01,5\n"), ("data.csv:1", "blank")),
    "missing column": Case(
        csv(line1="date,yy"), ("data.csv:1", "no column 'y'", "did you mean 'yy'", "date, yy")
    ),
    "missing time column": Case(csv(line1="dates,y"), ("no column 'date'", "did you mean 'dates'")),
    "column twice": Case(csv("date,y,y\n2024-01-01,1,2\n"), ("'y'", "more than once")),
    "unparseable number": Case(
        csv(line17="2024-01-01 15:00:00,n/a?"), ("data.csv:17", "'y'", "'n/a?'", "null_values")
    ),
    "infinite": Case(csv(line9="2024-01-01 07:00:00,inf"), ("data.csv:9", "infinite", "'inf'")),
    "too large": Case(csv(line9="2024-01-01 07:00:00,1e99"), ("data.csv:9", "float32", "1e99")),
    "unparseable time": Case(
        csv(line33="yesterday,5"), ("data.csv:33", "'date'", "'yesterday'", "data.time_format")
    ),
    "no time": Case(csv(line33=",5"), ("data.csv:33", "missing time")),
    "time in another format": Case(
        csv(),
        ("unparseable time", "data.csv:2"),
        (("frequency", "time_format: '%d.%m.%Y'\n  frequency"),),
    ),
    "conflicting duplicates": Case(
        csv(line12="2024-01-01 09:00:00,99.5"), ("data.csv:12", "conflicting duplicate")
    ),
    "too many fields": Case(csv(line8="2024-01-01 06:00:00,5,6"), ("data.csv:8", "malformed")),
    "too few fields": Case(csv(line8="2024-01-01 06:00:00"), ("data.csv:8", "malformed")),
    "open quote": Case(csv(line8='2024-01-01 06:00:00,"5'), ("data.csv",)),
    "not UTF-8": Case(raw("data.csv", MIB + b"\xff\xfe,5\n"), ("data.csv:402", "UTF-8")),
    "header not UTF-8": Case(raw("data.csv", b"\xffdate,y\n"), ("data.csv:1", "UTF-8")),
    "off the grid": Case(
        csv(line30="2024-01-02 04:17:00,5"), ("data.csv:30", "off the grid", "04:17")
    ),
    "wrong frequency": Case(csv(), ("frequency",), (("frequency: h", "frequency: D"),)),
    "wrong weekday": Case(csv(), ("frequency",), (("frequency: h", "frequency: W-SAT"),)),
    "fraction of a second": Case(
        csv(line30="2024-01-02 04:00:00.5,5"), ("data.csv:30", "fraction of a second")
    ),
    "local time that never was": Case(
        csv("date,y\n2024-03-31 01:00,1\n2024-03-31 02:00,2\n2024-03-31 03:00,3\n"),
        ("data.csv:3", "non-existent local time"),
        (("time: date", "time: date\n  timezone: Europe/Berlin"),),
    ),
    "too short for a window": Case(
        csv("\n".join(lines(40)) + "\n"), ("window", "lookback 24", "horizon 6")
    ),
    "nothing left to train on": Case(
        csv("\n".join(lines(3)) + "\n"), ("split", "3 time steps")
    ),
    "split longer than the data": Case(
        csv(), ("split", "400"), (("window:", "split: {train: 900, test: 50}\nwindow:"),)
    ),
    "no number at all": Case(
        csv("date,y\n" + "".join(f"{line.split(',')[0]},\n" for line in lines()[1:])), ("y",)
    ),
    "every row bad": Case(
        csv("date,y\na,1\nb,2\n"),
        ("none of 2 rows", "unparseable time"),
        (("frequency", "on_bad_rows: drop\n  frequency"),),
    ),
    "broken gzip": Case(
        raw("data.csv.gz", gzip.compress(MIB)[:-200]),
        ("data.csv.gz", "gzip"),
        source("path: data.csv.gz"),
    ),
    "no gzip": Case(raw("data.csv.gz", MIB), ("data.csv.gz", "gzip"), source("path: data.csv.gz")),
    "broken Parquet": Case(
        raw("data.parquet", b"PAR1" + bytes(90)), ("data.parquet",), source("path: data.parquet")
    ),
    "column missing in Parquet": Case(
        parquet, ("data.parquet", "no column 'y'"), source("path: data.parquet")
    ),
    "broken JSON": Case(
        raw("d.jsonl", b'{"date": "2024-01-01", "y": 1}\n{"date": "20\n'),
        ("d.jsonl:2",),
        source("path: d.jsonl"),
    ),
    "no database": Case(
        nothing, ("data",), source("url: sqlite:///none.db\n  table: readings")
    ),
    "unknown database": Case(
        nothing, ("data.url", "nosuch"), source("url: nosuch://host/base\n  table: readings")
    ),
    "no table": Case(
        database, ("nowhere",), source("url: sqlite:///base.db\n  table: nowhere")
    ),
    "bad query": Case(
        database,
        ("the query", "SELEC", "syntax"),
        source("url: sqlite:///base.db\n  query: SELEC 1"),
    ),
}  # fmt: skip

CONFIGS = {
    "no such key": ("targets:", "target:", "did you mean 'targets'"),
    "no such cell": ("window:", "model: {cell: gro}\nwindow:", "did you mean 'gru'"),
    "no number": ("horizon: 6", "horizon: six", "received 'six', expected a whole number >= 1"),
    "no such zone": ("time: date", "time: date\n  timezone: Mars", "expected a time zone"),
    "no such step": ("frequency: h", "frequency: hour", "write h"),
    "target is the time": ("[y]", "[date]", "which is the time column"),
    "not YAML": ("[y]", "[y", "not valid YAML"),
    "no source": ("  path: data.csv\n", "", "exactly one of path (files) and url"),
    "unset variable": (
        "path: data.csv",
        "{url: 'a://u:${ELMAN_NO_SUCH}@h'}",
        "demo.yaml",
    ),
    "plain password": ("path: data.csv", "url: a://u:pw@h\n  table: t", "plain text"),
}


def invoke(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(cli, [command, "demo.yaml"])


def bad(result: Result) -> str:
    """The message of a refusal, after checking what holds for every refusal."""
    said = result.stderr
    assert result.exit_code == 2, said
    assert said.startswith("Error: ")
    assert "Traceback" not in said
    assert "\n\n" not in said, "one paragraph"
    assert result.stdout == ""
    for leak in ("duckdb", "pydantic", "site-packages", "(Background on this error"):
        assert leak not in said.lower(), leak
    return said


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("kind", DATA)
def test_bad_data(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = DATA[kind]
    case.make(tmp_path)
    text = CONFIG
    for old, new in case.edits:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "demo.yaml").write_text(text)
    before = contents(tmp_path)
    said = bad(invoke("check", tmp_path, monkeypatch))
    for words in case.words:
        assert words in said, said
    assert contents(tmp_path) == before


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_bad_config(
    kind: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, words = CONFIGS[kind]
    assert old in CONFIG
    csv()(tmp_path)
    (tmp_path / "demo.yaml").write_text(CONFIG.replace(old, new, 1))
    before, loaded = contents(tmp_path), set(sys.modules)
    said = bad(invoke(command, tmp_path, monkeypatch))
    assert words in said
    assert "demo.yaml" in said
    assert contents(tmp_path) == before
    assert "tfx" not in set(sys.modules) - loaded


def test_there_are_enough_kinds_and_each_says_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(DATA) + len(CONFIGS) >= 25
    assert len({case.words for case in DATA.values()}) >= len(DATA) - 4


def test_the_base_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    csv()(tmp_path)
    (tmp_path / "demo.yaml").write_text(CONFIG)
    before = contents(tmp_path)
    result = invoke("check", tmp_path, monkeypatch)
    assert result.exit_code == 0, result.stderr
    assert contents(tmp_path) == before
