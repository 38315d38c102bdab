"""The data scripts on files in the published formats, and what they say where one is missing."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples import (
    adding_problem_data,
    atis_data,
    embedded_reber_data,
    reber_data,
    sst2_data,
    vowels_data,
)
from examples.grammars.reber import EMBEDDED_REBER, REBER
from examples.grammars.strings_table import disjoint
from examples.tables import write
from models.windows.spec import WindowSpec
from tests.shared_data import shared_data


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ts_file(path: Path, cases: list[tuple[np.ndarray[Any, Any], str]]) -> None:
    lines = ["# a remark", "@problemName JapaneseVowels", "@data"]
    lines += [":".join([*(",".join(map(str, c)) for c in x), label]) for x, label in cases]
    path.write_text("\n".join(lines) + "\n")


def test_vowels_become_a_row_per_step_with_a_column_per_channel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(12, 7)).round(4), rng.normal(size=(12, 9)).round(4)
    ts_file(tmp_path / "JapaneseVowels_TRAIN.ts", [(first, "3")])
    ts_file(tmp_path / "JapaneseVowels_TEST.ts", [(second, "9")])
    table = []
    for part in ("train", "test"):
        write(tmp_path / "out.csv", vowels_data.HEADER, vowels_data.rows(tmp_path, part))
        table += read(tmp_path / "out.csv")
    assert [r["utterance"] for r in table] == ["train-001"] * 7 + ["test-001"] * 9
    assert {(r["utterance"], r["speaker"]) for r in table} == {
        ("train-001", "3"),
        ("test-001", "9"),
    }
    numbers = np.asarray([[float(r[f"lpc{i}"]) for i in range(1, 13)] for r in table])
    np.testing.assert_array_equal(numbers, np.concatenate([first.T, second.T]))


def test_vowels_as_published() -> None:
    folder = shared_data("japanese_vowels", "JapaneseVowels_TEST.ts").parent
    for part, cases in (("train", 270), ("test", 370)):
        lengths = Counter(row[0] for row in vowels_data.rows(folder, part))
        assert len(lengths) == cases
        assert (min(lengths.values()), max(lengths.values())) == (7, 26 if part == "train" else 29)


def test_sentences_keep_their_words_and_labels_are_named(tmp_path: Path) -> None:
    for name, label in (("train", 1), ("dev", 0), ("test", 1)):
        (tmp_path / f"{name}.tsv").write_text(f'a "quoted" , odd\tline of {name}\t{label}\n')
    write(tmp_path / "out.csv", sst2_data.HEADER, sst2_data.rows(tmp_path))
    table = read(tmp_path / "out.csv")
    assert table[0] == {
        "sentence": 'a "quoted" , odd\tline of train',
        "label": "positive",
        "part": "train",
    }
    assert [(r["part"], r["label"]) for r in table[1:]] == [
        ("validation", "negative"),
        ("test", "positive"),
    ]


def test_conllu_leaves_out_surface_forms_and_empty_words(tmp_path: Path) -> None:
    def line(number: str, form: str, tag: str) -> str:
        return "\t".join([number, form, "_", tag, *["_"] * 6])

    sentence = [
        "# text = don't go",
        line("1-2", "don't", "_"),
        line("1", "do", "AUX"),
        line("2", "n't", "PART"),
        line("2.1", "you", "PRON"),
        line("3", "go", "VERB"),
        "",
        "",
        line("1", "go", "VERB"),
        "",
    ]
    for name in ("train", "dev", "test"):
        (tmp_path / f"en_atis-ud-{name}.conllu").write_text("\n".join(sentence) + "\n")
    table = list(atis_data.rows(tmp_path))
    assert table[:4] == [
        ("train-00001", "1", "do", "AUX", "train"),
        ("train-00001", "2", "n't", "PART", "train"),
        ("train-00001", "3", "go", "VERB", "train"),
        ("train-00002", "1", "go", "VERB", "train"),
    ]
    assert [r[4] for r in table[4:]] == ["validation"] * 4 + ["test"] * 4


def test_the_treebank_as_published() -> None:
    folder = shared_data("ud_atis", "en_atis-ud-test.conllu").parent
    table = list(atis_data.rows(folder))
    assert len({row[0] for row in table}) == 5432
    assert not any("_" in (row[2], row[3]) for row in table)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (partial(vowels_data.rows, part="test"), "timeseriesclassification.com"),
        (sst2_data.rows, "clairett/pytorch-sentiment-classification"),
        (atis_data.rows, "UniversalDependencies/UD_English-Atis"),
    ],
)
def test_a_missing_file_is_said_with_where_it_is_published(
    rows: Callable[[Path], Iterator[Any]], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=r"is not there\. Nothing is downloaded") as caught:
        list(rows(tmp_path))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "names", "expected"),
    [
        (partial(vowels_data.rows, part="train"), ["JapaneseVowels_TRAIN.ts"], "got 2 channels"),
        (sst2_data.rows, ["train.tsv"], "expected a sentence, a tab and 0 or 1"),
        (atis_data.rows, ["en_atis-ud-train.conllu"], "got 1 fields, expected the 10"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    rows: Callable[[Path], Iterator[Any]], names: list[str], expected: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).write_text("1,2:3,4:5\n")
    with pytest.raises(SystemExit, match=expected):
        list(rows(tmp_path))


@pytest.mark.parametrize(
    ("script", "machine"), [(reber_data, REBER), (embedded_reber_data, EMBEDDED_REBER)]
)
def test_parts_share_no_string_and_are_the_same_each_time(script: Any, machine: Any) -> None:
    sizes = {part: size // 2 for part, size in script.SIZES.items()}
    parts = disjoint(machine, sizes, script.SEED)
    assert {p: len(s) for p, s in parts.items()} == sizes
    every = [s for strings in parts.values() for s in strings]
    assert len(set(every)) == len(every)
    assert all(map(machine.accepts, every))
    assert parts == disjoint(machine, sizes, script.SEED)
    assert parts != disjoint(machine, sizes, script.SEED + 1)
    # No part has the short strings for itself.
    means = [np.mean([len(s) for s in strings]) for strings in parts.values()]
    assert max(means) < 1.15 * min(means)


def test_each_window_of_the_adding_problem_is_one_block() -> None:
    table = adding_problem_data.blocks(300, seed=3)
    rows = table.reshape(-1, 3)
    spec = WindowSpec(lookback=100, horizon=1, stride=101)
    assert spec.count(len(rows)) == 300
    for window in range(300):
        origin = spec.lookback - 1 + window * spec.stride
        past, label = rows[origin - 99 : origin + 1], rows[origin + 1, 2]
        assert past[:50, 1].sum() == past[50:, 1].sum() == 1
        assert label == pytest.approx((past[:, 0] * past[:, 1]).sum())
    sums = adding_problem_data.blocks(4000, seed=4)[:, -1, 2]
    assert np.mean((sums - 1) ** 2) == pytest.approx(1 / 6, rel=0.06)


def test_the_target_says_nothing_before_the_sum_and_has_its_moments() -> None:
    table = adding_problem_data.blocks(2000, seed=5)
    assert np.ptp(table[:, :100, 2], axis=0).max() == 0
    column = table[:, :, 2]
    assert column.mean() == pytest.approx(1, abs=1e-3)
    assert column.std() == pytest.approx(np.sqrt(1 / 6), rel=1e-2)


def test_an_equal_table_is_left_alone_and_another_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"
    write(path, ("a", "b"), [("1", 'x,"y"')])
    before = path.stat().st_mtime_ns
    write(path, ("a", "b"), [("1", 'x,"y"')])
    assert path.stat().st_mtime_ns == before
    write(path, ("a", "b"), [("2", "z")])
    assert read(path) == [{"a": "2", "b": "z"}]
