"""Values put into sections, and how KerasTuner holds them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.tune.candidate import Candidate, numbers_at
from components.tune.coding import decoded, encoded
from components.tune.config import ParameterConfig, TuneConfig
from components.tune.space import hyperparameters, start
from models.errors import BadInputError
from models.training.config import ClipConfig, TruncatedBptt
from models.windows.spec import WindowSpec

BASE = Candidate(window=WindowSpec(lookback=12, horizon=3))


def test_values_are_put_where_they_belong_and_nothing_else_changes() -> None:
    found = BASE.with_values(
        {"model.units": [8, 4], "train.clip.global_norm": 0.5, "window.lookback": 24}
    )
    assert found.model == BASE.model.model_copy(update={"units": (8, 4)})
    assert found.train == BASE.train.model_copy(update={"clip": ClipConfig(global_norm=0.5)})
    assert found.window == BASE.window.model_copy(update={"lookback": 24})
    assert BASE.with_values({}) == BASE


def test_a_number_for_a_list_is_a_list_of_one() -> None:
    assert BASE.with_values({"model.units": 8}).model.units == (8,)


def test_a_section_that_is_null_or_a_word_becomes_one() -> None:
    bare = BASE.with_values({"train.clip": None})
    assert bare.with_values({"train.clip.norm": 2.0}).train.clip == ClipConfig(norm=2.0)
    assert BASE.with_values({"train.bptt.truncated": 6}).train.bptt == TruncatedBptt(truncated=6)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model.unit": 8}, "did you mean 'units'"),
        ({"data.path": "x"}, "valid keys are: model, train, window"),
        ({"model.cell": "lstn"}, "model.cell"),
        ({"train.epochs": 2.5}, "train.epochs"),
        ({"train.learning_rate": math.inf}, "train.learning_rate"),
        ({"train.schedule.warmup": 40.0}, "must be shorter than the training"),
        ({"train.clip.norm": 1.0}, "exactly one of global_norm, norm and value"),
        ({"train.bptt": {"truncated": 6}, "model.bidirectional": True}, "bptt is truncated"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        BASE.with_values(values)


def test_which_numbers_a_key_takes() -> None:
    kinds = {
        "train.learning_rate": "float",
        "train.clip.norm": "float",
        "model.units": "int",
        "train.patience": "int",
        "train.bptt.truncated": "int",
        "model.cell": None,
        "model.bidirectional": None,
    }
    assert {key: numbers_at(Candidate, key) for key in kinds} == kinds


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@given(st.lists(values, min_size=1, max_size=5, unique_by=repr).map(tuple))
def test_choices_come_back_as_they_were(choices: tuple[Any, ...]) -> None:
    back = [decoded({"key": code})["key"] for code in encoded(choices)]
    assert back == list(choices)
    # A whole number beside others that are not comes back as such a number, equal to it.
    if len({type(choice) for choice in choices}) == 1:
        assert list(map(repr, back)) == list(map(repr, choices))


def test_entries_of_hyperband_are_no_values() -> None:
    assert decoded({"model.units": "[8]", "tuner/epochs": 3}) == {"model.units": [8]}


def test_ranges_are_of_the_numbers_that_the_key_takes() -> None:
    tune = TuneConfig.model_validate(
        {
            "space": {
                "window.lookback": {"min": 4, "max": 16, "step": 4},
                "model.dropout": {"min": 0, "max": 0.5},
                "train.learning_rate": {"min": 1e-4, "max": 1, "scale": "log"},
                "train.batch_size": {"min": 8, "max": 512, "scale": "log"},
            }
        }
    )
    space = hyperparameters(tune)
    drawn = [[hp.random_sample(seed) for seed in range(200)] for hp in space.space]
    lookbacks, dropouts, rates, batches = drawn
    assert set(lookbacks) == {4, 8, 12, 16}
    assert all(isinstance(value, float) and 0 <= value <= 0.5 for value in dropouts)
    middle = sorted(rates)[100]
    assert 10**-2.5 < middle < 10**-1.5, "not equally likely factors"
    assert all(isinstance(value, int) and 8 <= value <= 512 for value in batches)
    assert 40 < sorted(batches)[100] < 100


def test_the_files_own_values_are_a_trial_where_the_space_holds_them() -> None:
    def starts(**space: Any) -> Any:
        return start(BASE, TuneConfig.model_validate({"space": space}))

    assert starts(
        **{
            "model.units": [[32], [64]],
            "train.clip": [None, {"global_norm": 1.0}],
            "window.lookback": {"min": 2, "max": 20, "step": 5},
            "train.learning_rate": {"min": 1e-4, "max": 1e-2},
        }
    ) == {
        "model.units": "[64]",
        "train.clip": '{"global_norm": 1.0}',
        "window.lookback": 12,
        "train.learning_rate": 1e-3,
    }
    assert starts(**{"model.units": {"min": 32, "max": 64}}) == {"model.units": 64}
    assert starts(**{"model.units": [[32], [16]]}) is None
    assert starts(**{"window.lookback": {"min": 4, "max": 20, "step": 5}}) is None
    assert starts(**{"train.clip.norm": {"min": 1.0, "max": 2.0}}) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "neither choices nor a whole range"),
        ({"min": 1}, "neither choices nor a whole range"),
        ({"min": 3, "max": 3}, "min must be below"),
        ({"min": 0, "max": 3, "scale": "log"}, "above 0"),
        ({"min": 1, "max": 3, "scale": "log", "step": 1}, "no step"),
        ({"choices": [1], "min": 1}, "choices together with a range"),
        ([1, 2, 1], "twice"),
        ([], "at least 1"),
    ],
)
def test_a_range_or_choices_that_make_no_sense_are_refused(data: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ParameterConfig.model_validate(data)
