"""Answers as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from serving.rest.json_answer import write_classify, write_error, write_predict, write_regress
from serving.rest.json_decimal import decimals
from serving.rest.json_predict import Format
from serving.status import Code, ServingError

DIGITS = {np.float16: 6, np.float32: 9, np.float64: 17}


@pytest.mark.parametrize("dtype", DIGITS)
@given(data=st.data())
def test_numbers_come_back_exactly(dtype: type, data: st.DataObject) -> None:
    array = data.draw(
        npst.arrays(dtype, st.integers(0, 50), elements=npst.from_dtype(np.dtype(dtype)))
    )
    tokens = decimals(array)
    back = np.array([float(token) for token in tokens], dtype=np.float64).astype(dtype)
    np.testing.assert_array_equal(back, array)
    np.testing.assert_array_equal(np.signbit(back), np.signbit(array) & ~np.isnan(array))
    for token, value in zip(tokens, array, strict=True):
        assert token == _one(value, DIGITS[dtype])


def _one(value: Any, full: int) -> str:
    """TF Serving's rule, one number at a time."""
    number = float(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if number > 0 else "-Infinity"
    short = f"{number:.6g}"
    with np.errstate(over="ignore"):
        text = short if type(value)(short) == value else f"{number:.{full}g}"
    return text if set(text) & {".", "e"} else text + ".0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1 / 3, "0.333333343"),
        (123456.0, "123456.0"),
        (1234567.0, "1234567.0"),
        (12345678.0, "12345678.0"),
        (1e6, "1e+06"),
        (16777216.0, "16777216.0"),
        (1e-5, "1e-05"),
        (3.4028235e38, "3.40282347e+38"),
        (1e-45, "1.4013e-45"),
    ],
)
def test_float32_as_tf_serving_writes_it(value: float, text: str) -> None:
    assert decimals(np.array([value], np.float32)) == [text]


@given(st.text())
@example("\ud800")
@example('"\\\n\0</script>')
def test_errors_are_json_whatever_they_repeat(message: str) -> None:
    assert json.loads(write_error(message).decode("ascii")) == {"error": message}


def test_strings_and_bytes() -> None:
    texts = np.array(["ä\n".encode(), b'"', b""], dtype=object)
    raw = np.array([b"\xff\0", b"a\0", b""], dtype=object)
    row = json.loads(write_predict({"text": texts, "raw_bytes": raw}, Format.ROW))
    assert row["predictions"] == [
        {"text": "ä\n", "raw_bytes": {"b64": "/wA="}},
        {"text": '"', "raw_bytes": {"b64": "YQA="}},
        {"text": "", "raw_bytes": {"b64": ""}},
    ]


def test_a_scalar_string_keeps_its_zero_bytes() -> None:
    assert json.loads(write_predict({"raw_bytes": b"a\0"}, Format.COLUMN)) == {
        "outputs": {"b64": "YQA="}
    }


def test_bytes_that_are_no_text_are_refused_with_a_way_out() -> None:
    with pytest.raises(ServingError, match="_bytes") as refusal:
        write_predict({"text": np.array([b"\xff"], dtype=object)}, Format.ROW)
    assert refusal.value.code is Code.FAILED_PRECONDITION


def test_scalars_in_columns() -> None:
    answer = write_predict(
        {"a": np.float32(2), "b": np.array(3), "c": np.bool_(True)}, Format.COLUMN
    )
    assert answer == b'{"outputs":{"a":2.0,"b":3,"c":true}}'


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1),
        npst.arrays(np.int64, npst.array_shapes(max_dims=3, max_side=3)),
        min_size=1,
        max_size=3,
    )
)
def test_integers_are_written_in_full(outputs: dict[str, Any]) -> None:
    (found,) = json.loads(write_predict(outputs, Format.COLUMN)).values()
    if len(outputs) == 1:
        found = {next(iter(outputs)): found}
    assert found == {name: array.tolist() for name, array in outputs.items()}


@given(st.lists(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.floats(width=32)))))
def test_classifications(results: list[list[tuple[str, float]]]) -> None:
    if not results:
        return
    found = json.loads(write_classify(results))["results"]
    assert [[label for label, _ in pairs] for pairs in found] == [
        [label for label, _ in pairs] for pairs in results
    ]
    scores = [score for pairs in found for _, score in pairs]
    expected = [score for pairs in results for _, score in pairs]
    np.testing.assert_array_equal(np.array(scores, np.float32), np.array(expected, np.float32))


def test_regressions() -> None:
    assert write_regress([42.0, 0.1]) == b'{"results":[42.0,0.1]}'
