"""Names, texts and values as MLflow takes them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import (
    _validate_metric_name,
    _validate_param_name,
    _validate_tag_name,
)

from components.tracking.entries import (
    entry_name,
    flat,
    param_texts,
    plain,
    scrubbed,
    split_finite,
)

NAMES = st.text(min_size=0, max_size=400) | st.text("ab./:_- %", max_size=30)


@given(NAMES)
def test_any_name_becomes_one_that_mlflow_takes(name: str) -> None:
    clean = entry_name(name)
    _validate_metric_name(clean)
    _validate_param_name(clean)
    _validate_tag_name(clean)
    assert len(clean) <= 250
    assert entry_name(clean) == clean


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_two_names_stay_two(names: list[str]) -> None:
    assert entry_name(names[0]) != entry_name(names[1])


@pytest.mark.parametrize("name", ["mae", "mae/h 12", "Größe", "a.b-c_d:e"])
def test_good_names_stay(name: str) -> None:
    assert entry_name(name) == name


def test_params_are_flat_and_text() -> None:
    texts = param_texts(
        {"a": {"b": 1, "c": {"d": None, "e": [1, "x"]}}, "f": True, "g": "word", "h": {}}
    )
    assert texts == {
        "a.b": "1",
        "a.c.d": "null",
        "a.c.e": '[1, "x"]',
        "f": "true",
        "g": "word",
        "h": "{}",
    }
    assert len(param_texts({"long": "x" * 7000})["long"]) == 6000
    assert flat({"a.b": 1}) == {"a.b": 1}


def test_no_secret_becomes_a_param() -> None:
    texts = param_texts(
        {
            "data": {"url": "postgresql://me:hunter2@host/base", "password": "hunter2"},
            "tracking": {"uri": "https://me:hunter2@host", "api_key": "hunter2", "token": None},
            "list": ["http://a:hunter2@b", "mysql://h/b?password=hunter2"],
        }
    )
    assert "hunter2" not in json.dumps(texts)
    assert texts["data.url"] == "postgresql://me:***@host/base"
    assert texts["tracking.token"] == "null"
    assert scrubbed("at https://me:hunter2@host/x, twice") == "at https://me:***@host/x, twice"


def test_only_finite_metrics_pass() -> None:
    finite, rest = split_finite(
        {"a": 1, "b": math.nan, "c": -math.inf, "d": np.float32(0.5), "e": None}
    )
    assert finite == {"a": 1.0, "d": 0.5}
    assert rest == ("b", "c", "e")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_plain_values_are_strict_json(value: Any) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_plain_unpacks_numpy() -> None:
    value = {"a": np.float32(0.5), "b": np.arange(3), "c": (np.int64(1), b"x"), "d": {2, 1}}
    assert plain(value) == {"a": 0.5, "b": [0, 1, 2], "c": [1, "x"], "d": [1, 2]}
    assert plain(np.array([1.0, np.nan])) == [1.0, None]
