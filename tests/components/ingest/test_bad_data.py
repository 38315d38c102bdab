"""Every way in which data can be broken has its message, with file and line."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import ingest
from components.ingest.report import IngestReport
from models.errors import BadInputError
from models.roles import Covariates, Roles

SPLIT = SplitConfig(validation=2, test=2)
ROLES = Roles(targets=("y",), covariates=Covariates(past=("x",)))


def lines(n: int = 20) -> list[str]:
    """A good file: header and one row per line; line 2 is the first row."""
    hours = pd.date_range("2024-01-01", periods=n, freq="h")
    return ["when,id,y,x", *(f"{t},a,{i},{i / 2}" for i, t in enumerate(hours))]


def run(
    tmp_path: Path, text: str | bytes | list[str], roles: Roles = ROLES, **more: object
) -> IngestReport:
    content = "\n".join(text) + "\n" if isinstance(text, list) else text
    name = str(more.get("path", "a.csv"))
    if "*" not in name:
        raw = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(raw)
    values = {"path": name, "time": "when", "series": "id", "frequency": "h", **more}
    data = DataConfig.model_validate(values)
    return ingest(data, SPLIT, roles, tmp_path, tmp_path / "out")


def replaced(line: int, text: str) -> list[str]:
    """The good file with line `line`, counted from 1, replaced."""
    good = lines()
    good[line - 1] = text
    return good


CASES: list[tuple[str, list[str], str]] = [
    ("number", replaced(7, "2024-01-01 05:00:00,a,five,1"),
     r"a\.csv:7: unparseable number in column 'y': 'five'"),
    ("comma", replaced(7, '2024-01-01 05:00:00,a,"1,5",1'), r"a\.csv:7: unparseable number"),
    ("underscore", replaced(7, "2024-01-01 05:00:00,a,1_000,1"), r"a\.csv:7: unparseable number"),
    ("covariate", replaced(7, "2024-01-01 05:00:00,a,5,??"), r"in column 'x': '\?\?'"),
    ("infinite", replaced(8, "2024-01-01 06:00:00,a,inf,1"), r"a\.csv:8: infinite value in"),
    ("minus", replaced(8, "2024-01-01 06:00:00,a,-Infinity,1"), r"a\.csv:8: infinite value"),
    ("too large", replaced(8, "2024-01-01 06:00:00,a,1e300,1"), r"a\.csv:8: value beyond float32"),
    ("no series", replaced(9, "2024-01-01 07:00:00,,1,1"), r"a\.csv:9: missing series id"),
    ("no time", replaced(9, ",a,1,1"), r"a\.csv:9: missing time in column 'when'"),
    ("time", replaced(9, "yesterday,a,1,1"), r"a\.csv:9: unparseable time.*'yesterday'"),
    ("few fields", replaced(9, "2024-01-01 07:00:00,a,1"), r"a\.csv:9: malformed line"),
    ("many fields", replaced(9, "2024-01-01 07:00:00,a,1,2,3"), r"a\.csv:9: malformed line"),
    ("off grid", replaced(9, "2024-01-01 07:20:00,a,1,1"),
     r"a\.csv:9: time off the grid of the frequency in column 'when': '2024-01-01 07:20:00'"),
    ("conflict", [*lines(), "2024-01-01 03:00:00,a,77,1"],
     r"a\.csv:5: conflicting duplicate.*against a\.csv:22"),
    ("conflict with missing", [*lines(), "2024-01-01 03:00:00,a,,1.5"],
     r"a\.csv:22: conflicting duplicate.*against a\.csv:5"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, text: list[str], message: str) -> None:
    with pytest.raises(BadInputError, match=message) as caught:
        run(tmp_path, text)
    assert "on_bad_rows: drop" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "out"]


@pytest.mark.parametrize("text", [c[1] for c in CASES], ids=[c[0] for c in CASES])
def test_a_bad_row_can_be_dropped(tmp_path: Path, text: list[str]) -> None:
    report = run(tmp_path, text, on_bad_rows="drop")
    dropped = 1 if len(text) == 21 else 2
    assert report.rows_dropped == dropped
    assert report.rows_read == len(text) - 1
    assert report.rows_kept + report.rows_unused + dropped == report.rows_read
    with (tmp_path / "out" / "rejects.csv").open() as stream:
        rejects = list(csv.DictReader(stream))
    assert len(rejects) == dropped
    for reject in rejects:
        assert reject["file"] == "a.csv"
        assert reject["raw"] == text[int(reject["line"]) - 1]
        assert reject["reason"] in report.dropped


def test_a_forgotten_series_column_is_suspected(tmp_path: Path) -> None:
    text = lines()
    text += [row.replace(",a,", ",b,9") for row in text[1:]]
    message = r"are there several series\? set data\.series"
    with pytest.raises(BadInputError, match=message) as caught:
        run(tmp_path, text, series=None)
    assert "40 of 40 rows" in str(caught.value)


def test_bad_rows_are_counted_beyond_those_that_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.ingest.stage.LISTED", 4)
    text = lines(60)
    for line in range(10, 20):
        text[line] = text[line].replace(",a,", ",a,x" if line % 2 else ",,")
    report = run(tmp_path, text, on_bad_rows="drop")
    assert report.dropped == {"unparseable number": 5, "missing series id": 5}
    with (tmp_path / "out" / "rejects.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 4


def test_missing_values_are_no_bad_rows(tmp_path: Path) -> None:
    text = lines()
    for line, value in enumerate(("", "NA", " NaN ", "null", "nan", "None", "?"), start=4):
        text[line] = f"2024-01-01 {line - 1:02d}:00:00,a,{value},1"
    report = run(tmp_path, text, null_values=["NA", "NaN", "null", "None", "?"])
    assert report.missing == {"y": 7, "x": 0}
    assert report.rows_dropped == 0


def test_lines_are_counted_past_blank_lines_and_quoted_line_ends(tmp_path: Path) -> None:
    text = "\n".join(lines()).replace("when,id,y,x", "when,id,y,x,note").split("\n")
    text[1:] = [f"{row},ok" for row in text[1:]]
    text[2] += '"'
    text[2] = text[2].replace(',ok"', ',"two\nlines, ""quoted"""')
    text.insert(5, "")
    text[8] = text[8].replace(",a,", ",a,bad")
    text[10] = "short,line"
    text[12] = text[12].replace(",a,", ",a,worse")
    content = "\r\n".join(text) + "\r\n"
    physical = content.split("\n")
    report = run(tmp_path, content, on_bad_rows="drop")
    with (tmp_path / "out" / "rejects.csv").open(newline="") as stream:
        rejects = list(csv.DictReader(stream))
    assert len(rejects) == report.rows_dropped == 3
    for reject, word in zip(rejects, ("bad", "short", "worse"), strict=True):
        assert word in physical[int(reject["line"]) - 1]
        assert word in reject["raw"]


def test_all_reasons_are_counted_and_the_first_rows_shown(tmp_path: Path) -> None:
    text = lines(40)
    for line in range(10, 20):
        text[line] = text[line].replace(",a,", ",a,x")
    text[25] = "nothing"
    with pytest.raises(BadInputError) as caught:
        run(tmp_path, text)
    message = str(caught.value)
    assert "11 of 40 rows" in message
    assert "unparseable number 10" in message
    assert "malformed line 1" in message
    assert "and 6 more" in message


def test_conflicts_between_files_name_both(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("\n".join(lines()) + "\n")
    (tmp_path / "p2.csv").write_text("when,id,x,y\n2024-01-01 04:00:00,a,9,9\n")
    with pytest.raises(BadInputError, match=r"p1\.csv:6: conflicting.*against p2\.csv:2"):
        run(tmp_path, "", path="p*.csv")
    report = run(tmp_path, "", path="p*.csv", on_bad_rows="drop")
    assert report.dropped == {"conflicting duplicate": 2}
    assert report.missing_steps == 1


def test_a_conflict_at_the_end_moves_the_grid(tmp_path: Path) -> None:
    text = [*lines(), "2024-01-01 19:00:00,a,5,5"]
    report = run(tmp_path, text, on_bad_rows="drop")
    assert report.steps == 19
    assert report.split_rows == {"train": 15, "validation": 2, "test": 2}


FILES: list[tuple[str, str | bytes, dict[str, object], str]] = [
    ("column", "when,id,Y,x\n2024-01-01,a,1,1\n", {}, r"a\.csv:1: no column 'y'; did you mean 'Y'"),
    ("nearest", "whne,id,y,x\n", {}, "no column 'when'; did you mean 'whne'"),
    ("twice", "when,id,y,x,y\n", {}, "column 'y' is there more than once"),
    ("empty", "", {}, r"a\.csv: the file is empty"),
    ("header", "when,id,y,x\n", {}, "no rows, only a header"),
    ("blank", "\n\n", {}, "first line is blank"),
    ("utf-16", "when,id,y,x\n".encode("utf-16"), {}, r"a\.csv:1: the header is not UTF-8"),
    ("latin", "when,id,y,x\n2024-01-01,Jos\xe9,1,1\n".encode("latin-1"), {},
     r"a\.csv:2: not UTF-8"),
    ("gzip", b"no gzip at all", {"path": "a.csv.gz"}, r"a\.csv\.gz: broken gzip file"),
    ("cut gzip", gzip.compress(("\n".join(lines(2000))).encode())[:-40], {"path": "b.csv.gz"},
     r"b\.csv\.gz: broken gzip file"),
    ("parquet", b"PAR1 but no more", {"path": "a.parquet"}, "cannot be read as Parquet"),
    ("ending", "x", {"path": "a.xlsx"}, "cannot tell the format from the ending '.xlsx'"),
    ("json", '{"when": 1\n', {"path": "a.jsonl"}, r"a\.jsonl:1: malformed line: 'no JSON object'"),
    ("json key", '{"when": 1, "id": 2, "yy": 3}\n', {"path": "a.jsonl"}, "no column 'y'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "more", "message"), [f[1:] for f in FILES], ids=[f[0] for f in FILES]
)
def test_a_bad_file_is_named(
    tmp_path: Path, content: str | bytes, more: dict[str, object], message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        run(tmp_path, content, **more)
    assert not (tmp_path / "out" / "report.json").exists()


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"'\*\.parquet' matches no file"):
        run(tmp_path, "", path="*.parquet")
    data = DataConfig(path="none.csv", time="when", frequency="h")
    with pytest.raises(BadInputError, match=r"'none\.csv' does not exist"):
        ingest(data, SPLIT, ROLES, tmp_path, tmp_path / "out")
    (tmp_path / "folder").mkdir()
    data = data.model_copy(update={"path": "folder"})
    with pytest.raises(BadInputError, match=r"is a folder; name files, such as folder/\*\.csv"):
        ingest(data, SPLIT, ROLES, tmp_path, tmp_path / "out")


def test_files_with_different_columns(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("\n".join(lines()) + "\n")
    (tmp_path / "p2.csv").write_text("when,id,y,z\n2024-01-02,a,9,9\n")
    with pytest.raises(BadInputError, match=r"p2\.csv:1: no column 'x'"):
        run(tmp_path, "", path="p*.csv")


@pytest.mark.parametrize(
    ("step", "said", "like"),
    [("15min", "h", "15min"), ("h", "15min", "h"), ("h", "D", "h"), ("W-SUN", "W-SAT", "W-SUN"),
     ("D", "MS", "D"), ("MS", "D", "MS"), ("MS", "ME", "MS")],
)  # fmt: skip
@pytest.mark.parametrize("bad", ["fail", "drop"])
def test_a_wrong_frequency_says_what_it_looks_like(
    tmp_path: Path, step: str, said: str, like: str, bad: str
) -> None:
    times = pd.date_range("2020-01-01", periods=100, freq=step)
    text = ["when,id,y,x", *(f"{t},a,1,1" for t in times)]
    with pytest.raises(BadInputError, match=f"data.frequency '{said}'.*look like {like}\\b"):
        run(tmp_path, text, frequency=said, on_bad_rows=bad)


def test_static_covariates_that_change(tmp_path: Path) -> None:
    roles = Roles(targets=("y",), covariates=Covariates(static=("x",)))
    with pytest.raises(BadInputError, match=r"static covariate 'x': series 'a' has different"):
        run(tmp_path, lines(), roles)
    empty = [",".join(row.split(",")[:3]) + "," for row in lines()[1:]]
    with pytest.raises(BadInputError, match="static covariate 'x': series 'a' has no value"):
        run(tmp_path, [lines()[0], *empty], roles)


def test_columns_with_two_parts(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"'when' is data\.time and cannot be a target"):
        run(tmp_path, lines(), Roles(targets=("when",)))
    with pytest.raises(BadInputError, match=r"'when' is data\.time and cannot be data.series"):
        run(tmp_path, lines(), series="when")
    with pytest.raises(BadInputError, match="can be called 'time'"):
        run(tmp_path, lines(), Roles(targets=("time",)))


def test_a_split_without_rows(tmp_path: Path) -> None:
    text = lines(30)
    with pytest.raises(BadInputError, match="no rows in the validation split"):
        run(tmp_path, text[:-4] + text[-2:])


def test_nothing_usable(tmp_path: Path) -> None:
    text = [row.replace(",a,", ",a,x") for row in lines()]
    with pytest.raises(BadInputError, match="none of 20 rows can be used"):
        run(tmp_path, text, on_bad_rows="drop")


def test_a_failure_removes_what_an_earlier_run_left(tmp_path: Path) -> None:
    run(tmp_path, lines())
    with pytest.raises(BadInputError):
        run(tmp_path, replaced(5, "x"))
    assert list((tmp_path / "out").iterdir()) == []
