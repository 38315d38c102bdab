"""TF Serving's test of its JSON tensors: the examples of classify and regress."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from serving.rest.json_examples import read_examples
from serving.rest.json_predict import signature_name
from serving.rest.json_text import parse
from serving.status import Code, ServingError
from tests.serving.rest.conftest import HALF
from tests.serving.rest.json_tensor_cases import INF, SOURCE

pytestmark = pytest.mark.contract(SOURCE)
Features = dict[str, tuple[str, Sequence[Any]]]

NO_CONTEXT = """{"examples": [
    {"streets": ["elm", "oak"], "heights": [4.0, 2.5], "floor": 3},
    {"streets": ["ash"], "heights": 1.5}]}"""
WITH_CONTEXT = """{
    "signature_name": "by_street",
    "context": {"town": "ulm", "quarter": ["east"]},
    "examples": [
        {"streets": ["elm", "oak"], "heights": [4.0, 2.5, NaN, Infinity], "floor": 3},
        {"streets": ["ash", {"b64": "bGluZGVu"}], "heights": 1.5, "open": [7, true, false]},
        {"streets": "yew", "heights": -Infinity}]}"""
_TOWN: Features = {"town": ("bytes", [b"ulm"]), "quarter": ("bytes", [b"east"])}
_ELM: Features = {"streets": ("bytes", [b"elm", b"oak"]), "floor": ("int64", [3])}
READ: dict[str, tuple[str, str, list[Features]]] = {
    "RequestNoContext": (
        NO_CONTEXT,
        "",
        [
            {**_ELM, "heights": ("float", [4.0, 2.5])},
            {"streets": ("bytes", [b"ash"]), "heights": ("float", [1.5])},
        ],
    ),
    "RequestWithContextAndSignature": (
        WITH_CONTEXT,
        "by_street",
        [
            {**_TOWN, **_ELM, "heights": ("float", [4.0, 2.5, float("nan"), INF])},
            {
                **_TOWN,
                "streets": ("bytes", [b"ash", b"linden"]),
                "heights": ("float", [1.5]),
                "open": ("int64", [7, 1, 0]),
            },
            {**_TOWN, "streets": ("bytes", [b"yew"]), "heights": ("float", [-INF])},
        ],
    ),
}


@pytest.mark.parametrize("case", READ)
def test_examples_are_read(case: str) -> None:
    from tensorflow.core.example import example_pb2

    body, signature, expected = READ[case]
    document = parse(body.encode())
    assert signature_name(document) == signature
    found = [example_pb2.Example.FromString(data) for data in read_examples(document)]
    assert [_features(example) for example in found] == [
        {name: (kind, list(map(str, values))) for name, (kind, values) in features.items()}
        for features in expected
    ]


def _features(example: Any) -> dict[str, tuple[str, list[str]]]:
    found = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        found[name] = (kind.removesuffix("_list"), list(map(str, getattr(feature, kind).value)))
    return found


REFUSED: dict[str, tuple[str, str]] = {
    "signature is a list": (
        '{"signature_name": ["x"], "examples": [{"streets": ["elm"]}]}',
        "'signature_name' key must be a string",
    ),
    "context is a list": (
        '{"context": [{"streets": ["elm"]}]}',
        "Example must be JSON object",
    ),
    "examples are an object": ('{"examples": {"streets": ["elm"]}}', "list/array"),
    "an example is a list": (
        '{"examples": [[{"streets": ["elm"]}]]}',
        "Example must be JSON object",
    ),
    "null": (
        '{"examples": [{"streets": [4, null]}]}',
        "streets has element with unexpected JSON type: Null",
    ),
    "an integer, then a decimal": (
        '{"examples": [{"streets": [4, 4.0]}]}',
        "feature: streets expecting type: int64",
    ),
    "an object that is no base64": (
        '{"examples": [{"streets": [4, {"elm": 4}]}]}',
        "streets has element with unexpected JSON type: Object",
    ),
    "a list in a list": (
        '{"examples": [{"streets": [[4], 5]}]}',
        "streets has element with unexpected JSON type: Array",
    ),
    "above int64": (
        '{"examples": [{"streets": [4, 18446744073709551600]}]}',
        "Only int64 is supported",
    ),
    "a double too large for a float": (
        '{"examples": [{"streets": 1.7976931348623157e+308}]}',
        "loss of precision",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_examples_are_refused(case: str) -> None:
    body, says = REFUSED[case]
    with pytest.raises(ServingError) as refusal:
        _read(body)
    assert refusal.value.code is Code.INVALID_ARGUMENT
    assert says in refusal.value.message


def _read(body: str) -> list[bytes]:
    document = parse(body.encode())
    signature_name(document)
    return read_examples(document)


@pytest.mark.parametrize("verb", ["classify", "regress"])
@pytest.mark.parametrize("case", REFUSED)
def test_servers_refuse_them(rest: Callable[..., Any], case: str, verb: str) -> None:
    body, says = REFUSED[case]
    status, headers, answer = rest("POST", f"/v1/models/{HALF}:{verb}", body)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert says in json.loads(answer)["error"]
