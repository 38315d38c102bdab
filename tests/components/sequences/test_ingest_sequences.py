"""Ingestion of sequences: what is read, in which order, and into which split."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.ingest.report import FILE
from components.sequences.config import SequenceDataConfig
from components.sequences.ingest.ingest import content_fingerprint
from components.sequences.ingest.report import SequenceIngestReport
from models.errors import BadInputError
from tests.components.sequences.tables import (
    BY_PART,
    CLASSIFY,
    TABLE,
    TAG,
    TEXT,
    examples,
    ids,
    ingest,
    long_table,
    texts,
)
from tests.shared_data import shared_data

FILES = {"train": "train.tsv", "validation": "dev.tsv", "test": "test.tsv"}


def test_rows_are_gathered_by_id_and_ordered_by_step(tmp_path: Path) -> None:
    report = long_table(tmp_path)
    assert examples(tmp_path, "train") == {
        "a": {"x": [1.0, 4.0], "w": ["a", "cat"], "y": ["D", "N"]},
        "b": {"x": [np.float32(-2e-3), 0.5], "w": ["the", "dog"], "y": ["D", "N"]},
    }
    assert examples(tmp_path, "validation") == {"c": {"x": [3.0], "w": ["Cat"], "y": ["N"]}}
    # 9 before 10: steps are numbers.
    assert examples(tmp_path, "test") == {
        "d": {"x": [6.0, 5.0], "w": ["it", "sat"], "y": ["P", "V"]}
    }
    assert (report.rows_read, report.rows_kept, report.sequences) == (7, 7, 4)
    assert report.split_sequences == {"train": 2, "validation": 1, "test": 1}
    assert report.split_rows == {"train": 4, "validation": 1, "test": 2}
    assert (report.shortest, report.longest) == (1, 2)
    assert report.labels["train"] == {"D": 2, "N": 2}
    assert SequenceIngestReport.load(tmp_path / "examples") == report


def test_without_a_step_rows_keep_the_order_of_their_files(tmp_path: Path) -> None:
    head, *rows = TABLE.splitlines()
    files = {
        "data/2.csv": "\n".join([head, *rows[:3]]) + "\n",
        "data/10.csv": "\n".join([head, *rows[3:]]) + "\n",
    }
    # Files are sorted by name, as text: 10 before 2.
    ingest(tmp_path, files, {"path": "data/*.csv", "sequence": "id"})
    assert examples(tmp_path, "train")["a"]["w"] == ["cat", "a"]
    assert examples(tmp_path, "train")["b"]["w"] == ["dog", "the"]


def test_many_groups_of_rows_are_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.sequences.ingest.write.BATCH", 7)
    monkeypatch.setattr("components.sequences.ingest.write.PART", 40)
    random = np.random.default_rng(0)
    frame = pd.concat(
        pd.DataFrame({"id": f"s{i:02}", "at": range(n), "x": random.normal(size=n).round(4)})
        for i, n in enumerate(random.integers(1, 16, 30))
    )
    frame["w"] = random.choice(list("abc"), len(frame))
    frame["y"] = random.choice(list("AB"), len(frame))
    frame["part"] = np.where(frame["id"] > "s25", "test", "train")
    frame.loc[frame["id"] == "s03", "part"] = "validation"
    shuffled = frame.sample(frac=1, random_state=0)
    report = long_table(tmp_path, shuffled.to_csv(index=False))
    assert len(list((tmp_path / "examples" / "Split-train").iterdir())) > 1
    for split in FILES:
        found = examples(tmp_path, split)
        expected = {str(k): g for k, g in frame[frame["part"] == split].groupby("id")}
        assert list(found) == sorted(expected)
        for name, group in expected.items():
            assert found[name]["x"] == group["x"].astype(np.float32).tolist()
            assert found[name]["w"] == group["w"].tolist()
            assert found[name]["y"] == group["y"].tolist()
    monkeypatch.undo()
    assert long_table(tmp_path, frame.to_csv(index=False)).digest == report.digest


def test_formats_say_the_same(tmp_path: Path) -> None:
    digest = long_table(tmp_path).digest
    frame = pd.read_csv(tmp_path / "a.csv")
    frame.to_parquet(tmp_path / "a.parquet")
    lines = "".join(json.dumps(row) + "\n" for row in frame.to_dict("records"))
    headless = frame[["y", "part", "id", "at", "x", "w"]].to_csv(index=False, header=False)
    renamed: dict[str, Any] = {
        "task": "tag",
        "inputs": {"numbers": ["c5"], "symbols": ["c6"]},
        "target": "c1",
    }
    base = {"sequence": "id", "step": "at"}
    for data in (
        {"path": "a.parquet", **base},
        {"path": "a.jsonl", **base},
        {"path": "a.csv.gz", **base},
        {"path": "a.tsv", **base},
    ):
        files = {
            "a.jsonl": lines,
            "a.csv.gz": gzip.compress(TABLE.encode()),
            "a.tsv": TABLE.replace(",", "\t"),
        }
        assert ingest(tmp_path, files, data).digest == digest, data
    ingest(
        tmp_path,
        {"h.csv": headless},
        {"path": "h.csv", "sequence": "c3", "step": "c4", "header": False},
        BY_PART | {"column": "c2"},
        renamed,
    )
    assert examples(tmp_path, "train")["b"] == {
        "c5": [np.float32(-2e-3), 0.5],
        "c6": ["the", "dog"],
        "c1": ["D", "N"],
    }


def test_the_digest_knows_content_ids_and_splits(tmp_path: Path) -> None:
    swapped = TABLE.replace("validation", "?").replace("test", "validation").replace("?", "test")
    contents = [
        TABLE,
        TABLE.replace("Cat", "cat"),
        TABLE.replace("0.5", "0.25"),
        TABLE.replace("\nd,", "\nz,"),
        swapped,
        # The same letters in all, cut elsewhere.
        TABLE.replace("the", "th").replace("dog", "edog"),
    ]
    assert len({long_table(tmp_path, content).digest for content in contents}) == len(contents)


def test_a_label_of_classify_is_there_once(tmp_path: Path) -> None:
    table = "id,x,y\n" + "".join(f"s{i // 2},{i},{'ab'[i // 2 % 2]}\n" for i in range(80))
    split = {"validation": 0.2, "test": 0.2}
    report = long_table(tmp_path, table, step=None, split=split, spec=CLASSIFY)
    assert report.split_sequences == {"train": 24, "validation": 8, "test": 8}
    assert all(set(n.values()) in ({12}, {4}) for n in report.labels.values())
    for found in (examples(tmp_path, split) for split in FILES):
        for name, row in found.items():
            i = int(name[1:])
            assert row == {"x": [2.0 * i, 2.0 * i + 1], "y": ["ab"[i % 2]]}


def test_texts_without_header_or_quotes_in_a_file_per_split(tmp_path: Path) -> None:
    train = [('a "lone quote', "1"), ('"begins', "0"), ("it's, fine; |", "1"), ('""', "0")]
    files = {
        "train.tsv": texts(train),
        "dev.tsv": texts([("x y", "1"), ("NA", "0")]),
        "test.tsv": texts([('ends"', "0"), ('"both"', "1"), ("null", "1")]),
    }
    spec = {"task": "classify", "inputs": {"text": "c1"}, "target": "c2"}
    data = {"path": FILES, "header": False}
    ingest(tmp_path, files, data, {"by": "files"}, spec)
    for split, name in FILES.items():
        found = examples(tmp_path, split)
        lines = [line.split("\t") for line in files[name].splitlines()]
        assert list(found) == [f"{split}:{i + 1}" for i in range(len(lines))]
        assert [(r["c1"][0], r["c2"][0]) for r in found.values()] == [tuple(r) for r in lines]


def test_quotes_of_csv_enclose_and_those_of_tabs_where_it_is_said(tmp_path: Path) -> None:
    rows = [("one, two", "1"), ('say ""hi""', "0"), ("c", "1")]
    content = "t\ty\n" + texts([(f'"{text}"', label) for text, label in rows]) * 4
    split = {"validation": 0.25, "test": 0.25}
    for quote, expected in (("double", 'say "hi"'), ("auto", '"say ""hi"""')):
        ingest(tmp_path, {"a.tsv": content}, {"path": "a.tsv", "quote": quote}, split, TEXT)
        found = {row["t"][0] for s in FILES for row in examples(tmp_path, s).values()}
        assert expected in found
    content = content.replace("\t", ",")
    ingest(tmp_path, {"a.csv": content}, {"path": "a.csv"}, split, TEXT)
    found = {row["t"][0] for s in FILES for row in examples(tmp_path, s).values()}
    assert found == {"one, two", 'say "hi"', "c"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_file_without_header_is_found(tmp_path: Path, delimiter: str) -> None:
    others = "".join(d for d in ",;\t|" if d != delimiter)
    rows = [(f"text {others[: i % 4]} {i}", str(i % 2)) for i in range(8)]
    spec = {"task": "classify", "inputs": {"text": "c1"}, "target": "c2"}
    split = {"validation": 0.25, "test": 0.25}
    report = ingest(
        tmp_path, {"a.txt": texts(rows, delimiter)}, {"path": "a.txt", "header": False}, split, spec
    )
    assert report.sequences == 8
    ragged = texts([*rows, ("one,;\t|more", "1")], delimiter)
    with pytest.raises(BadInputError, match=r"set\s+data.delimiter"):
        ingest(tmp_path, {"a.txt": ragged}, {"path": "a.txt", "header": False}, split, spec)


def test_a_missing_file_takes_its_share_of_train(tmp_path: Path) -> None:
    rows = [(f"text {i}", str(i % 2)) for i in range(40)]
    spec = {"task": "classify", "inputs": {"text": "c1"}, "target": "c2"}
    files = {"train.tsv": texts(rows), "test.tsv": texts(rows[:3])}
    data = {"path": {"train": "train.tsv", "test": "test.tsv"}, "header": False}
    split = {"by": "files", "validation": 0.25}
    report = ingest(tmp_path, files, data, split, spec)
    assert report.split_sequences == {"train": 30, "validation": 10, "test": 3}
    assert report.labels["validation"] == {"0": 5, "1": 5}
    # The three are among the forty.
    assert report.repeated["test"] == sum(
        r in [x["c1"][0] for x in examples(tmp_path, "train").values()]
        for r in ("text 0", "text 1", "text 2")
    )


def test_row_ids_do_not_change_when_the_data_moves(tmp_path: Path) -> None:
    rows = texts([(f"text {i}", str(i % 2)) for i in range(8)])
    split = {"validation": 0.25, "test": 0.25}
    found = []
    for name in ("one", "two/three"):
        folder = tmp_path / name
        files = {"a/x.tsv": "t\ty\n" + rows, "b/x.tsv": "t\ty\n" + rows}
        ingest(folder, files, {"path": "*/x.tsv"}, split, TEXT)
        found.append(ids(folder))
    assert found[0] == found[1]
    assert {i.rpartition(":")[0] for names in found[0].values() for i in names} == {
        "a/x.tsv",
        "b/x.tsv",
    }


def test_values_of_no_split_are_left_out_and_counted(tmp_path: Path) -> None:
    report = long_table(tmp_path, TABLE + "e,1,1,a,D,extra\n")
    assert (report.sequences, report.sequences_unused) == (4, 1)
    with pytest.raises(BadInputError, match="never holds 'dev'"):
        long_table(tmp_path, split=BY_PART | {"validation": ["dev"]})


def test_splits_by_column_may_be_numbers(tmp_path: Path) -> None:
    table = TABLE.replace("train", "1").replace("validation", "2").replace("test", "3")
    split = {"by": "column", "column": "part", "train": [1], "validation": [2], "test": [3]}
    long_table(tmp_path, table, split=split)
    assert ids(tmp_path) == {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    def fingerprint(**data: Any) -> str:
        return content_fingerprint(SequenceDataConfig.model_validate(data), tmp_path)

    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "b.csv").write_text("b")
    (tmp_path / "c.csv").write_text("a")
    assert fingerprint(path="a.csv") == fingerprint(path="c.csv") != fingerprint(path="b.csv")
    both = {"train": "a.csv", "test": "b.csv"}
    assert fingerprint(path=both) != fingerprint(path={"train": "b.csv", "test": "a.csv"})
    assert fingerprint(path=both) == fingerprint(path={"train": "c.csv", "test": "b.csv"})


def test_real_reviews(tmp_path: Path) -> None:
    folder = shared_data("sst2")
    data = {"path": {s: str(folder / f) for s, f in FILES.items()}, "header": False}
    spec = {"task": "classify", "inputs": {"text": "c1"}, "target": "c2"}
    report = ingest(tmp_path, {}, data, {"by": "files"}, spec)
    assert report.split_sequences == {"train": 6920, "validation": 872, "test": 1821}
    lines = (folder / "test.tsv").read_text().splitlines()
    found = examples(tmp_path, "test").values()
    assert [f"{r['c1'][0]}\t{r['c2'][0]}" for r in found] == lines
    assert (tmp_path / "examples" / FILE).exists()


def test_columns_may_serve_twice(tmp_path: Path) -> None:
    spec = TAG | {"inputs": {"numbers": ["at", "x"], "symbols": ["w"]}}
    long_table(tmp_path, spec=spec)
    assert examples(tmp_path, "test")["d"]["at"] == [9.0, 10.0]
