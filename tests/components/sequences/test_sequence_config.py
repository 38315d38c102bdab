"""The sections `data` and `split` of a sequence task."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.sequences.config import SequenceDataConfig, SequenceSplitConfig, SplitFiles

COLUMN = {"by": "column", "column": "p", "train": ["a", 1], "validation": ["b"], "test": ["c"]}


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (SequenceDataConfig, {"path": "a.csv"}),
        (SequenceDataConfig, {"path": {"train": "a", "test": "b"}, "delimiter": "\t"}),
        (SequenceSplitConfig, {}),
        (SequenceSplitConfig, COLUMN),
        (SequenceSplitConfig, {"by": "files", "validation": 0.3}),
    ],
)
def test_sections_come_back_from_json(section: Any, values: dict[str, Any]) -> None:
    found = section.model_validate(values)
    again = section.from_json(found.canonical_json())
    assert again == found
    assert hash(again) == hash(found)


def test_files_by_split_may_leave_out_all_but_train() -> None:
    data = SequenceDataConfig.model_validate({"path": {"train": "a"}})
    assert data.path == SplitFiles(train="a")
    with pytest.raises(ValidationError, match="train"):
        SequenceDataConfig.model_validate({"path": {"test": "a"}})
    with pytest.raises(ValidationError, match="did you mean 'validation'"):
        SequenceDataConfig.model_validate({"path": {"train": "a", "valdation": "b"}})


def test_values_of_a_column_are_text() -> None:
    split = SequenceSplitConfig.model_validate(COLUMN)
    assert split.values() == {"train": ("a", "1"), "validation": ("b",), "test": ("c",)}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"validation": 0.6, "test": 0.4}, "leave nothing to train on"),
        ({"test": 0.0}, "share between 0 and 1"),
        ({"test": ["a"]}, "share between 0 and 1"),
        ({"column": "p"}, "belong to by: column"),
        ({"train": ["a"]}, "belong to by: column"),
        (COLUMN | {"column": None}, "needs column"),
        (COLUMN | {"test": 0.2}, "needs test"),
        (COLUMN | {"train": None}, "needs train"),
        (COLUMN | {"test": ["1"]}, "'1' is in two splits"),
    ],
)
def test_splits_that_make_no_sense(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SequenceSplitConfig.model_validate(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"step": "t"}, "sequence must name"),
        ({"step": "t", "sequence": "t"}, "cannot be both"),
        ({"delimiter": "||"}, "expected one character"),
        ({"quote": "'"}, "double"),
    ],
)
def test_data_that_makes_no_sense(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SequenceDataConfig.model_validate({"path": "a.csv"} | values)
