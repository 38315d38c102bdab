"""The store built from Examples, against one that is made in plain Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.sequences.store.build import build_sequence_store
from components.sequences.store.report import SequencesReport
from models.errors import BadInputError, FailedRunError
from models.sequences.spec import UNKNOWN, SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from models.windows.store import SPLITS
from tests.components.sequences.tables import ingest
from tests.sequences import make_sequences

WORDS = ["the", "The", "cat", "Cat", "ÉTÉ", "été", "sat", ".", UNKNOWN, "zebra", "NA"]


def build(
    folder: Path, spec: SequenceSpec, sequences: dict[str, list[dict[str, Any]]]
) -> tuple[SequencesReport, SequenceStore]:
    """Writes the sequences as JSON lines, ingests them and builds their store."""
    steps = (*spec.inputs.numbers, *spec.inputs.symbols)
    if spec.task == "tag":
        steps += (str(spec.target),)
    rows = []
    for split, listed in sequences.items():
        for sequence in listed:
            many = len(sequence[steps[0]]) if steps else 1
            for i in range(many):
                row = {"id": sequence["id"], "part": split}
                for name in (*spec.inputs.columns, *((spec.target,) if spec.target else ())):
                    row[name] = sequence[name][i] if name in steps else sequence[name]
                rows.append(json.dumps(row) + "\n")
    split = {"by": "column", "column": "part"} | {s: [s] for s in SPLITS}
    ingest(
        folder,
        {"a.jsonl": "".join(rows)},
        {"path": "a.jsonl", "sequence": "id"},
        split,
        spec.model_dump(mode="json"),
    )
    report = build_sequence_store(folder / "examples", spec, folder / "store")
    return report, SequenceStore.load(folder / "store")


def draw(spec: SequenceSpec, seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Random sequences in the order of their ids; words and labels differ between splits."""
    random = np.random.default_rng(seed)
    found: dict[str, list[dict[str, Any]]] = {}
    for k, split in enumerate(SPLITS):
        words, labels = WORDS[: 8 + k], "ABC"[: 2 + (k > 0)]
        found[split] = []
        for i in range(9):
            n = int(random.integers(2, 6))
            row: dict[str, Any] = {"id": f"{split}-{i}"}
            for name in spec.inputs.numbers:
                row[name] = random.normal(size=n).round(3).tolist()
            for name in spec.inputs.symbols:
                row[name] = random.choice(words, n).tolist()
            if spec.inputs.text is not None:
                row[spec.inputs.text] = " ".join(random.choice(words, n))
            if spec.target is not None:
                chosen = random.choice(list(labels), n).tolist()
                row[spec.target] = chosen if spec.task == "tag" else chosen[0]
            found[split].append(row)
    return found


def same(store: SequenceStore, expected: SequenceStore) -> None:
    for name in ("spec", "ids", "splits", "symbols", "texts", "vocabularies", "classes"):
        assert getattr(store, name) == getattr(expected, name), name
    for name in ("offsets", "numbers", "labels"):
        found, wanted = getattr(store, name), getattr(expected, name)
        assert found.dtype == wanted.dtype, name
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    for column, codes in expected.codes.items():
        assert store.codes[column].dtype == np.int32
        np.testing.assert_array_equal(store.codes[column], codes)


TAG = {"task": "tag", "target": "y"}
CLASSIFY = {"task": "classify", "target": "y"}
SPECS = {
    "tag": TAG | {"inputs": {"numbers": ["b", "a"], "symbols": ["w", "v"], "min_count": 2}},
    "numbers": CLASSIFY | {"inputs": {"numbers": ["a"]}},
    "symbols": CLASSIFY | {"inputs": {"symbols": ["w"], "lowercase": True, "vocabulary": 3}},
    "words": CLASSIFY | {"inputs": {"text": "t", "split": "words", "lowercase": True}},
    "next": {"task": "next_step", "inputs": {"symbols": ["w"]}},
    "characters": {
        "task": "next_step",
        "inputs": {"text": "t", "split": "characters", "min_count": 3},
    },
}


@pytest.mark.parametrize("name", SPECS)
def test_a_store_is_what_plain_python_makes(tmp_path: Path, name: str) -> None:
    spec = SequenceSpec.model_validate(SPECS[name])
    sequences = draw(spec)
    report, store = build(tmp_path, spec, sequences)
    expected = make_sequences(spec, sequences)
    same(store, expected)
    assert report.sequences == dict.fromkeys(SPLITS, 9)
    assert report.classes == len(expected.classes)
    for split in SPLITS:
        view = expected.view(split)
        assert report.steps[split] == int(np.diff(expected.offsets)[view.index].sum())
        assert report.longest[split] == int(np.diff(expected.offsets)[view.index].max())
        for column, shares in report.unknown.items():
            rows = np.concatenate([np.arange(*expected.offsets[i : i + 2]) for i in view.index])
            unknown = expected.token_ids(column)[expected.codes[column][rows]] == 1
            assert shares[split] == pytest.approx(unknown.mean())
        if spec.target is not None:
            assert report.unseen[split] == int((view.labels() < 0).sum())
    if spec.target is not None:
        assert report.unseen["train"] == 0 < report.unseen["test"]
        assert report.unseen_labels == ("C",)
        labels = expected.view("train").labels()
        counts = np.bincount(labels, minlength=2).tolist()
        assert report.train_labels == {"A": counts[0], "B": counts[1]}


def test_ties_in_the_vocabulary_are_in_the_order_of_code_points(tmp_path: Path) -> None:
    spec = SequenceSpec(task="next_step", inputs=SequenceInputs(symbols=("w",), vocabulary=4))
    train = [{"id": "a", "w": list("zzébébZaZa")}]
    sequences = {
        split: train if split == "train" else [{"id": split, "w": list("ab")}] for split in SPLITS
    }
    report, store = build(tmp_path, spec, sequences)
    assert store.vocabularies["w"] == ("Z", "a", "b", "z")
    assert store.classes == (UNKNOWN, "Z", "a", "b", "z")
    assert report.vocabulary == {"w": 4}


def test_sequences_of_one_symbol_are_left_out_of_next_step(tmp_path: Path) -> None:
    spec = SequenceSpec(task="next_step", inputs=SequenceInputs(text="t", split="words"))
    sequences = {
        "train": [{"id": "a", "t": "one"}, {"id": "b", "t": "two!"}, {"id": "c", "t": "a b c"}],
        "validation": [{"id": "d", "t": "lonely"}, {"id": "e", "t": "e e"}],
        "test": [{"id": "f", "t": "two b"}],
    }
    report, store = build(tmp_path, spec, sequences)
    left = {
        s: [x for x in listed if x["t"] not in ("one", "lonely")] for s, listed in sequences.items()
    }
    same(store, make_sequences(spec, left))
    assert report.dropped == {"train": 1, "validation": 1, "test": 0}
    sequences["validation"].pop()
    with pytest.raises(BadInputError, match="validation split has no sequence of two symbols"):
        build(tmp_path, spec, sequences)
    with pytest.raises(FailedRunError, match="no finished sequence store"):
        SequenceStore.load(tmp_path / "store")


@pytest.mark.parametrize(
    ("inputs", "train", "words"),
    [
        ({"symbols": ["w"]}, ["A", "A"], "every label of the train split is 'A'"),
        ({"symbols": ["w"], "min_count": 3}, ["A", "B"], "no symbol is in the train split 3 times"),
    ],
)
def test_where_there_is_nothing_to_learn(
    tmp_path: Path, inputs: dict[str, Any], train: list[str], words: str
) -> None:
    spec = SequenceSpec.model_validate(CLASSIFY | {"inputs": inputs})
    sequences = {
        split: [{"id": f"{split}{i}", "w": ["a"], "y": y} for i, y in enumerate(train)]
        for split in SPLITS
    }
    with pytest.raises(BadInputError, match=words):
        build(tmp_path, spec, sequences)


def test_broken_examples_are_refused(tmp_path: Path) -> None:
    spec = SequenceSpec.model_validate(SPECS["tag"])
    build(tmp_path, spec, draw(spec))
    other = spec.model_copy(update={"target": "z"})
    with pytest.raises(BadInputError, match="no column 'z'"):
        build_sequence_store(tmp_path / "examples", other, tmp_path / "store")
    for path in (tmp_path / "examples" / "Split-test").iterdir():
        path.unlink()
    with pytest.raises(BadInputError, match="no Parquet Examples of test"):
        build_sequence_store(tmp_path / "examples", spec, tmp_path / "store")
