"""Bad rows and sequences: what people are told, and what is left when they are dropped."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models.errors import BadInputError
from tests.components.sequences.tables import (
    BY_PART,
    CLASSIFY,
    TABLE,
    TAG,
    TEXT,
    ids,
    ingest,
    long_table,
    texts,
)

CLEAN = {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}


def bad(*rows: str, **options: Any) -> tuple[str, dict[str, Any]]:
    return TABLE + "".join(row + "\n" for row in rows), options


# By reason: rows after those of TABLE (line 8 is the last of it), the line and what is said of it.
CASES = {
    "missing sequence id": (bad(",1,1,a,D,train"), 9, "column 'id'"),
    "step is not a number": (bad("e,one,1,a,D,train"), 9, "column 'at': 'one'"),
    "missing step": (bad("e,NA,1,a,D,train"), 9, "column 'at': 'NA'"),
    "unparseable number": (bad("e,1,1,a,D,train", "e,2,1_0,a,D,train"), 10, "column 'x': '1_0'"),
    "infinite value": (bad("e,1,inf,a,D,train"), 9, "column 'x': 'inf'"),
    "value beyond float32": (bad("e,1,1e39,a,D,train"), 9, "column 'x': '1e39'"),
    "missing number": (bad("e,1,nan,a,D,train"), 9, "column 'x': 'nan'"),
    "missing symbol": (bad("e,1,1,,D,train"), 9, "column 'w'"),
    "missing label": (bad("e,1,1,a,NA,train"), 9, "column 'y': 'NA'"),
    "missing value of the split column": (bad("e,1,1,a,D,"), 9, "column 'part'"),
    "malformed line": (bad("e,1,1,a"), 9, "Expected Number of Columns: 6 Found: 4"),
    "step is there twice": (
        bad("e,1,1,a,D,train", "e,1.0,2,b,D,train"),
        10,
        "column 'at': \"'1.0' of sequence 'e', against a.csv:9\"",
    ),
    "sequence in two splits": (
        bad("e,1,1,a,D,train", "e,2,2,b,D,test"),
        10,
        "column 'part': \"'test' of sequence 'e', against 'train' at a.csv:9\"",
    ),
    "label differs within the sequence": (
        bad("e,1,1,a,D,train", "e,2,1,a,D,train", "e,3,2,b,N,train", spec=CLASSIFY),
        11,
        "column 'y': \"'N' of sequence 'e', against 'D' at a.csv:9\"",
    ),
}
TABLE_ONE_LABEL = TABLE.replace(",D,", ",N,").replace(",V,", ",P,")


def content_of(reason: str) -> tuple[str, dict[str, Any]]:
    content, options = CASES[reason][0]
    # Labels of classify are constant in the rest of the table.
    return content.replace(TABLE, TABLE_ONE_LABEL) if "spec" in options else content, options


@pytest.mark.parametrize("reason", CASES)
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, reason: str) -> None:
    content, options = content_of(reason)
    _, line, said = CASES[reason]
    with pytest.raises(BadInputError) as caught:
        long_table(tmp_path, content, **options)
    assert f"a.csv:{line}: {reason}" in str(caught.value)
    assert said in str(caught.value)
    assert f"({reason} 1)" in str(caught.value)
    assert not [*(tmp_path / "examples").iterdir()]


@pytest.mark.parametrize("spec", [TAG, CLASSIFY])
def test_bad_rows_are_dropped_with_their_sequences_and_listed(
    tmp_path: Path, spec: dict[str, Any]
) -> None:
    # One sequence for each case.
    reasons = [r for r, ((_, options), _, _) in CASES.items() if options.get("spec", TAG) == spec]
    content = TABLE if spec is TAG else TABLE_ONE_LABEL
    lines, lost = [], set()
    for i, reason in enumerate(reasons):
        rows, _ = content_of(reason)
        for row in rows.splitlines()[8:]:
            named = row.startswith("e,")
            content += (f"e{i}{row[1:]}" if named else row) + "\n"
            lost |= {f"e{i}"} if named and reason != "malformed line" else set()
        lines.append(content.count("\n"))
    report = long_table(tmp_path, content, on_bad_rows="drop", spec=spec)
    assert ids(tmp_path) == CLEAN
    assert report.dropped == dict.fromkeys(reasons, 1)
    assert report.sequences_dropped == len(lost)
    with (tmp_path / "examples" / "rejects.csv").open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert {(r["file"], r["line"], r["reason"]) for r in listed} == {
        ("a.csv", str(line), reason) for line, reason in zip(lines, reasons, strict=True)
    }
    assert [r["raw"] for r in listed] == [content.splitlines()[line - 1] for line in lines]


def test_every_kind_is_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    rows = [f"e,{i},x,a,D,train" for i in range(7)] + ["f,1,1,,D,train", "f,2,1,a,D,test"]
    with pytest.raises(BadInputError) as caught:
        long_table(tmp_path, TABLE + "\n".join([*rows, "g,1,1,a,D,train", "g,1,1,a,D,train\n"]))
    words = str(caught.value)
    assert "9 of 18 rows cannot be used (unparseable number 7, missing symbol 1, step is" in words
    assert "... and 4 more" in words
    assert "data.on_bad_rows: drop" in words


def test_places_count_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    content = TABLE + 'e,1,1,"two\nlines",D,train\n\ne,2,bad,a,D,train\n'
    with pytest.raises(BadInputError, match=r"a\.csv:12: unparseable number"):
        long_table(tmp_path, content)


def test_places_in_other_formats(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "a"], "x": [1.0, float("inf")], "y": ["u", "v"]})
    frame.to_parquet(tmp_path / "a.parquet")
    lines = "".join(json.dumps(row) + "\n" for row in frame.to_dict("records"))
    for name, content in (("a.parquet", None), ("a.jsonl", lines)):
        files = {} if content is None else {name: content}
        with pytest.raises(BadInputError) as caught:
            ingest(tmp_path, files, {"path": name, "sequence": "id"}, {}, CLASSIFY)
        place = f"{name}:2" if content else f"{name}, row 2"
        assert f"{place}: infinite value in column 'x'" in str(caught.value)


def test_empty_and_repeated_texts(tmp_path: Path) -> None:
    content = "id,t,y\na,one,1\nb,\u00a0 \u2003,0\na,two,1\n"
    with pytest.raises(BadInputError) as caught:
        ingest(tmp_path, {"a.csv": content}, {"path": "a.csv", "sequence": "id"}, {}, TEXT)
    words = str(caught.value)
    assert "a.csv:3: empty text in column 't'" in words
    assert "a.csv:4: id is there twice in column 'id': \"sequence 'a', against a.csv:2\"" in words


def test_a_file_of_texts_alone_has_its_lines_counted(tmp_path: Path) -> None:
    spec = {"task": "next_step", "inputs": {"text": "c1", "split": "characters"}}
    files = {"a.txt": "one\n\ntwo\n \nthree\n"}
    data = {"path": "a.txt", "header": False}
    with pytest.raises(BadInputError) as caught:
        ingest(tmp_path, files, data, {}, spec)
    assert "a.txt:2: empty text" in str(caught.value)
    assert "a.txt:4: empty text" in str(caught.value)


def test_words_that_look_like_nothing_are_symbols_and_texts(tmp_path: Path) -> None:
    table = TABLE.replace("the", "None").replace("dog", "NA").replace("Cat", "null")
    long_table(tmp_path, table)
    ingest(
        tmp_path,
        {"t.tsv": "t\ty\n" + texts([("NA", "1"), ("nan", "0"), ("None", "1"), ("null", "0")] * 4)},
        {"path": "t.tsv"},
        {"validation": 0.25, "test": 0.25},
        TEXT,
    )


def test_ids_must_differ_between_the_files_of_splits(tmp_path: Path) -> None:
    files = {"a.csv": "id,x,y\n1,1,u\n2,1,v\n", "b.csv": "id,x,y\n1,1,u\n3,1,v\n"}
    data = {"path": {"train": "a.csv", "test": "b.csv"}, "sequence": "id"}
    with pytest.raises(BadInputError) as caught:
        ingest(tmp_path, files, data, {"by": "files"}, CLASSIFY)
    assert "b.csv:2: sequence in two splits" in str(caught.value)
    assert "'test' of sequence '1', against 'train' at a.csv:2" in str(caught.value)
    assert "ids must differ between files" in str(caught.value)


@pytest.mark.parametrize(
    ("files", "data", "split", "words"),
    [
        ({"a.csv": TABLE}, {"path": "b.csv"}, BY_PART, "does not exist"),
        ({"a.csv": "id,at,x,w,y,part\n"}, {}, BY_PART, "has no rows"),
        ({"a.csv": TABLE.replace("part", "fold")}, {}, BY_PART, "no column 'part'"),
        ({"a.csv": TABLE}, {}, {"test": 0.1}, "none of 4 sequences is in the test split"),
        (
            {"a.csv": TABLE},
            {"path": {"train": "a.csv", "test": "./a.csv"}},
            {"by": "files"},
            "a.csv is in two splits",
        ),
        ({"a.csv": TABLE}, {}, {"by": "files"}, "data.path as a file for each split"),
        ({"a.csv": TABLE}, {"sequence": None, "step": None}, BY_PART, "every row is a sequence"),
        ({"a.csv": TABLE}, {"sequence": "w"}, BY_PART, "'w' is data.sequence"),
        ({"a.csv": TABLE}, {"step": "y"}, BY_PART, "'y' is data.step"),
        ({"a.csv": TABLE}, {}, BY_PART | {"column": "y"}, "'y' is split.column"),
    ],
)
def test_what_cannot_be_used_at_all(
    tmp_path: Path, files: dict[str, str], data: dict[str, Any], split: dict[str, Any], words: str
) -> None:
    base = {"path": "a.csv", "sequence": "id", "step": "at"}
    with pytest.raises(BadInputError, match=words):
        ingest(tmp_path, files, base | data, split, TAG)


def test_nothing_is_left_when_every_sequence_is_bad(tmp_path: Path) -> None:
    content = "id,at,x,w,y,part\na,1,?,a,D,train\nb,1,?,a,D,test\n"
    with pytest.raises(BadInputError, match="none of 2 rows can be used"):
        long_table(tmp_path, content, on_bad_rows="drop")


@pytest.mark.parametrize("name", ["sequence", "length"])
def test_names_that_mean_something_else_are_refused(tmp_path: Path, name: str) -> None:
    spec = TAG | {"inputs": {"numbers": [name]}}
    with pytest.raises(BadInputError, match=f"can be called '{name}'"):
        long_table(tmp_path, spec=spec)
