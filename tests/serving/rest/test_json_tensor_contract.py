"""TF Serving's test of its JSON tensors, on the functions that read and write them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from serving.rest.json_answer import write_classify, write_error, write_predict, write_regress
from serving.rest.json_predict import Format, PredictInputs, read_predict, signature_name
from serving.rest.json_text import parse
from serving.status import Code, ServingError
from tests.serving.rest.json_tensor_cases import (
    INF,
    NAN,
    READ,
    REFUSED,
    SOURCE,
    UNWRITABLE,
    WRITTEN,
    Read,
    Refused,
    Unwritable,
    Written,
)
from tests.serving.rest.json_text_of import as_text
from tests.serving.rest.tensor_infos import DTYPES, infos

pytestmark = pytest.mark.contract(SOURCE)


def _id(case: Any) -> str:
    return case.name


@pytest.mark.parametrize("case", READ, ids=_id)
def test_tensors_are_read(case: Read) -> None:
    found = _read(case)
    assert signature_name(parse(case.body.encode())) == case.signature
    assert found.format is Format(case.layout)
    assert set(found.arrays) == set(case.tensors)
    for name, (shape, values) in case.tensors.items():
        expected = np.array(values, dtype=DTYPES[case.inputs[name]]).reshape(shape)
        assert found.arrays[name].dtype == expected.dtype
        np.testing.assert_array_equal(found.arrays[name], expected)


@pytest.mark.parametrize("case", REFUSED, ids=_id)
def test_requests_are_refused(case: Refused) -> None:
    with pytest.raises(ServingError) as refusal:
        _read(case)
    assert refusal.value.code is Code.INVALID_ARGUMENT
    assert case.says in refusal.value.message


def _read(case: Read | Refused) -> PredictInputs:
    document = parse(case.body.encode())
    return read_predict(document, signature_name(document), infos(case.inputs))


def _arrays(outputs: Any) -> dict[str, Any]:
    return {
        name: np.array(values, dtype=DTYPES[dtype]).reshape(shape)
        for name, (dtype, shape, values) in outputs.items()
    }


@pytest.mark.parametrize("case", WRITTEN, ids=_id)
def test_outputs_are_written(case: Written) -> None:
    for layout, expected in ((Format.ROW, case.row), (Format.COLUMN, case.column)):
        if expected is not None:
            assert as_text(write_predict(_arrays(case.outputs), layout)) == as_text(expected)


@pytest.mark.parametrize("case", UNWRITABLE, ids=_id)
def test_outputs_that_rows_cannot_hold_are_refused(case: Unwritable) -> None:
    with pytest.raises(ServingError, match=case.says) as refusal:
        write_predict(_arrays(case.outputs), Format.ROW)
    assert refusal.value.code is Code.INVALID_ARGUMENT


CLASSIFIED = (
    [[("bread", 0.3), ("milk", 0.6)], [("bread", 0.8), ("milk", 0.1)]],
    '{"results": [[["bread", 0.3], ["milk", 0.6]], [["bread", 0.8], ["milk", 0.1]]]}',
)
REGRESSED = [
    ([0.3, 0.8, 2.0], '{"results": [0.3, 0.8, 2.0]}'),
    ([0.3, INF, 2.0, -INF, NAN], '{"results": [0.3, Infinity, 2.0, -Infinity, NaN]}'),
]


def test_classifications_are_written() -> None:
    results, expected = CLASSIFIED
    assert as_text(write_classify(results)) == as_text(expected)


@pytest.mark.parametrize(("values", "expected"), REGRESSED, ids=["finite", "not finite"])
def test_regressions_are_written(values: list[float], expected: str) -> None:
    assert as_text(write_regress(values)) == as_text(expected)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda: write_predict({}, Format.ROW), "empty tensor map"),
        (lambda: write_classify([]), "empty ClassificationResults"),
        (lambda: write_regress([]), "empty RegressionResults"),
    ],
    ids=[
        "FromJsonSingleTensorErrors: no output",
        "JsonFromResultErrors 1",
        "JsonFromResultErrors 2",
    ],
)
def test_nothing_cannot_be_written(write: Any, says: str) -> None:
    with pytest.raises(ServingError, match=says) as refusal:
        write()
    assert refusal.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("message", ['No such name: "y"', "No such name: 'y'"])
def test_errors_are_written(message: str) -> None:
    assert json.loads(write_error(message)) == {"error": message}
