from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.errors import BadInputError
from models.sequence_baselines.config import SequenceBaselinesConfig, fitting_names


def test_each_task_has_what_fits_it_and_its_inputs(store):
    inputs, task = store.spec.inputs, store.spec.task
    expected = {"majority"}
    if task == "next_step":
        expected |= {"bigram", "hmm"}
    elif task == "tag":
        expected |= {"hmm"} | ({"most_frequent_tag"} if inputs.tokens else set())
    else:
        expected |= {"naive_bayes"} if inputs.tokens else set()
        expected |= {"hmm"} if inputs.columns in (("x", "y"), ("said",)) else set()
    names = fitting_names(store.spec)
    assert set(names) == expected
    assert names[0] == "majority"
    assert SequenceBaselinesConfig().chosen(store.spec) == names
    chosen = SequenceBaselinesConfig(names=("majority",)).chosen(store.spec)
    assert chosen == ("majority",)


def test_a_baseline_of_another_task_is_refused_with_those_that_fit(store):
    fits = fitting_names(store.spec)
    for name in {"naive_bayes", "most_frequent_tag", "bigram", "hmm"} - set(fits):
        with pytest.raises(BadInputError, match=rf"'{name}', which .*majority"):
            SequenceBaselinesConfig(names=(name,)).chosen(store.spec)


def test_a_baseline_listed_twice_is_refused():
    with pytest.raises(ValidationError, match="listed twice"):
        SequenceBaselinesConfig(names=("majority", "majority"))
    with pytest.raises(ValidationError):
        SequenceBaselinesConfig(names=("arima",))
