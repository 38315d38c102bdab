"""TF Serving's test of its JSON tensors, as requests to a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.serving.rest.json_tensor_cases import (
    READ,
    REFUSED,
    ROW,
    SOURCE,
    UNWRITABLE,
    WRITTEN,
    Read,
    Refused,
    Unwritable,
    Written,
)
from tests.serving.rest.json_text_of import as_text

pytestmark = pytest.mark.contract(SOURCE)
Rest = Callable[..., tuple[int, dict[str, str], bytes]]


def _id(case: Any) -> str:
    return case.name


@pytest.mark.parametrize("case", READ, ids=_id)
def test_a_model_gives_back_what_was_sent(rest: Rest, case: Read) -> None:
    from tests.serving.rest.echo_models import echo_name

    status, headers, body = rest("POST", f"/v1/models/{echo_name(case.inputs)}:predict", case.body)
    assert (status, headers["content-type"]) == (200, "application/json"), body
    answer = json.loads(body)
    given = answer["predictions" if case.layout == ROW else "outputs"]
    for name, (shape, values) in case.tensors.items():
        if len(case.tensors) == 1:
            tensor = given
        else:
            tensor = [row[name] for row in given] if case.layout == ROW else given[name]
        expected = [v.decode() if isinstance(v, bytes) else v for v in values]
        found = np.array(tensor)
        assert found.shape == tuple(shape)
        if case.inputs[name] == "float":
            found, expected = found.astype(np.float32), np.array(expected, np.float32)
        np.testing.assert_array_equal(found.ravel(), expected)


@pytest.mark.parametrize("case", REFUSED, ids=_id)
def test_requests_are_refused(rest: Rest, case: Refused) -> None:
    from tests.serving.rest.echo_models import echo_name

    status, headers, body = rest("POST", f"/v1/models/{echo_name(case.inputs)}:predict", case.body)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert case.says in json.loads(body)["error"]


def _ask(rest: Rest, case: Written | Unwritable, layout: str) -> tuple[int, bytes]:
    from tests.serving.rest.echo_models import emit_name

    request = {"instances": [0.5]} if layout == ROW else {"inputs": [0.5]}
    status, _, body = rest("POST", f"/v1/models/{emit_name(case)}:predict", request)
    return status, body


@pytest.mark.parametrize("case", WRITTEN, ids=_id)
def test_outputs_are_written(rest: Rest, case: Written) -> None:
    for layout, expected in ((ROW, case.row), ("column", case.column)):
        if expected is not None:
            status, body = _ask(rest, case, layout)
            assert status == 200, body
            assert as_text(body) == as_text(expected)


@pytest.mark.parametrize("case", UNWRITABLE, ids=_id)
def test_outputs_that_rows_cannot_hold_are_refused(rest: Rest, case: Unwritable) -> None:
    status, body = _ask(rest, case, ROW)
    assert status == 400
    assert case.says in json.loads(body)["error"]
