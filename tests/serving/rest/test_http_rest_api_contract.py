"""TF Serving's tests of its REST handlers, as requests to a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.serving.rest.conftest import HALF, LABEL

SOURCE = "model_servers/http_rest_api_handler_test.cc"
OLDER = "model_servers/http_rest_prediction_handler_test.cc"
Rest = Callable[..., tuple[int, dict[str, str], bytes]]
M = "/v1/models"
H = f"{M}/{HALF}"
HUGE = (1 << 64) - 1


@dataclass(frozen=True)
class Case:
    """A request, its status, and what the error says or the answer is."""

    name: str
    verb: str
    path: str
    body: str = ""
    status: int = 200
    says: str = ""
    answer: Any = None
    sources: tuple[str, ...] = (SOURCE,)


BOTH = (SOURCE, OLDER)
_BAD = "Malformed request"
_ONE = '{"instances": [4]}'
_56 = '{"signature_name": "serving_default", "instances": [5.0, 6.0]}'
_80 = '{"signature_name": "regress_x_to_y", "examples": [{"x": 60.0}]}'
_20 = '{"signature_name": "classify_x_to_y", "examples": [{"x": 30.0}]}'
_V, _L = f"{H}/versions/123", f"{H}/labels/{LABEL}"
AVAILABLE = {
    "model_version_status": [
        {
            "version": "123",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
    ]
}
CASES = [
    # kPathRegex
    Case("a path of the API", "GET", M, status=400, says="Missing model name", sources=BOTH),
    Case("a path of something else", "GET", "/statuspage", status=404, sources=BOTH),
    Case("another path of something else", "GET", "/index", status=404, sources=BOTH),
    # UnsupportedApiCalls
    Case("GET of nothing known", "GET", "/v1/bar", status=400, says=_BAD, sources=BOTH),
    Case("POST of nothing known", "POST", "/v1/bar", status=400, says=_BAD, sources=BOTH),
    Case("GET without a name", "GET", M, status=400, says="Missing model name"),
    Case("GET too deep", "GET", f"{M}/debug/some_name", status=400, says=_BAD),
    Case("POST without a name", "POST", M, status=400, says=_BAD, sources=BOTH),
    Case("GET of predict", "GET", f"{M}/bar:predict", status=400, says=_BAD, sources=BOTH),
    Case(
        "GET of predict, version in the singular",
        *("GET", f"{M}/bar/version/7:predict"),
        status=400,
        says=_BAD,
        sources=BOTH,
    ),
    Case(
        "GET, version in the singular",
        *("GET", f"{M}/bar/version/7"),
        status=400,
        says=_BAD,
        sources=(OLDER,),
    ),
    Case(
        "POST, version in the singular",
        *("POST", f"{M}/bar/version/7:regress"),
        status=400,
        says=_BAD,
        sources=BOTH,
    ),
    Case(
        "version is a word",
        *("POST", f"{M}/bar/versions/HOLA:regress"),
        status=400,
        says=_BAD,
        sources=BOTH,
    ),
    Case(
        "version above int64", "POST", f"{M}/bar/versions/{HUGE}:regress", status=400, sources=BOTH
    ),
    Case("POST of metadata", "POST", f"{M}/bar/metadata", status=400, says=_BAD),
    Case("label in the singular", "POST", f"{M}/bar/label/best:regress", status=400, says=_BAD),
    Case(
        "version and label",
        "POST",
        f"{M}/bar/versions/7/labels/best:regress",
        status=400,
        says=_BAD,
    ),
    Case("label as version", "POST", f"{M}/bar/versions/best:regress", status=400, says=_BAD),
    # PredictModelNameVersionErrors
    Case("no such model", "POST", f"{M}/bar:predict", _ONE, 404, "Latest(bar)", sources=BOTH),
    Case(
        "no such model, with a version",
        *("POST", f"{M}/bar/versions/7:predict", _ONE, 404),
        says="Specific(bar, 7)",
        sources=BOTH,
    ),
    Case("almost the name", "POST", f"{H}99:predict", _ONE, 404, sources=BOTH),
    # PredictRequestErrors
    Case(
        "empty",
        "POST",
        f"{H}:predict",
        "",
        400,
        "JSON Parse error: The document is empty",
        sources=BOTH,
    ),
    Case(
        "no JSON",
        "POST",
        f"{H}:predict",
        "instances = [4]",
        400,
        "JSON Parse error: Invalid value",
        sources=BOTH,
    ),
    Case(
        "strings for floats",
        *("POST", f"{H}:predict", '{"instances": ["a", "b"]}', 400),
        says="not of expected type: float",
        sources=BOTH,
    ),
    Case(
        "no such label",
        *("POST", f"{H}/labels/Version_Missing:predict", '{"instances": ["a"]}', 400),
        says="Unrecognized servable version label",
    ),
    Case(
        "signature is a number",
        *("POST", f"{H}:predict", '{"signature_name": 7}', 400),
        says="'signature_name' key must be a string value.",
    ),
    # Predict
    Case(
        "predict",
        *("POST", f"{H}:predict", '{"instances": [[3.0, 4.0], [5.0, 6.0]]}'),
        answer={"predictions": [[3.5, 4.0], [4.5, 5.0]]},
        sources=BOTH,
    ),
    Case(
        "predict by version",
        *("POST", f"{_V}:predict", '{"instances": [3.0, 4.0]}'),
        answer={"predictions": [3.5, 4.0]},
        sources=BOTH,
    ),
    Case(
        "predict by label",
        *("POST", f"{_L}:predict", '{"instances": [3.0, 4.0]}'),
        answer={"predictions": [3.5, 4.0]},
    ),
    Case(
        "predict by signature",
        *(
            "POST",
            f"{_V}:predict",
            '{"signature_name": "serving_default", "instances": [5.0, 6.0]}',
        ),
        answer={"predictions": [4.5, 5.0]},
        sources=BOTH,
    ),
    Case(
        "predict in columns",
        *("POST", f"{_V}:predict", '{"signature_name": "serving_default", "inputs": [5.0, 6.0]}'),
        answer={"outputs": [4.5, 5.0]},
    ),
    # Regress
    Case("regress", "POST", f"{H}:regress", _80, answer={"results": [32.0]}, sources=BOTH),
    Case(
        "regress by version", "POST", f"{_V}:regress", _80, answer={"results": [32.0]}, sources=BOTH
    ),
    Case("regress by label", "POST", f"{_L}:regress", _80, answer={"results": [32.0]}),
    # Classify
    Case(
        "classify", "POST", f"{H}:classify", _20, answer={"results": [[["", 17.0]]]}, sources=BOTH
    ),
    Case(
        "classify by version",
        *("POST", f"{_V}:classify", _20),
        answer={"results": [[["", 17.0]]]},
        sources=(OLDER,),
    ),
    Case("classify by label", "POST", f"{_L}:classify", _20, answer={"results": [[["", 17.0]]]}),
    # GetStatus
    Case("status", "GET", H, answer=AVAILABLE),
    Case("status by version", "GET", _V, answer=AVAILABLE),
    Case("status by label", "GET", _L, answer=AVAILABLE),
]


def _asked() -> list[Any]:
    return [
        pytest.param(case, id=f"{case.name} ({name})", marks=pytest.mark.contract(source))
        for case in CASES
        for source, name in ((SOURCE, "now"), (OLDER, "before"))
        if source in case.sources
    ]


@pytest.mark.parametrize("case", _asked())
def test_request(rest: Rest, case: Case) -> None:
    status, headers, body = rest(case.verb, case.path, case.body if case.verb == "POST" else None)
    assert status == case.status, body
    if status != 404 or case.says:
        assert headers["content-type"] == "application/json"
    if status == 200:
        assert json.loads(body) == case.answer
    elif case.says:
        # TF Serving leaves the body of some refusals empty; those say nothing here.
        assert case.says in json.loads(body)["error"]


def _tensor(dtype: str, name: str, dims: list[str] | None) -> dict[str, Any]:
    shape = [{"size": size, "name": ""} for size in dims or []]
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": shape, "unknown_rank": dims is None},
        "name": name,
    }


_SIDES = {
    # signature: (its only input and output, the tensors they are, method)
    "serving_default": (("x", "x:0"), ("y", "y:0"), "predict"),
    "regress_x_to_y": (("inputs", "tf_example:0"), ("outputs", "y:0"), "regress"),
    "regress_x_to_y2": (("inputs", "tf_example:0"), ("outputs", "y2:0"), "regress"),
    "regress_x2_to_y3": (("inputs", "x2:0"), ("outputs", "y3:0"), "regress"),
    "classify_x_to_y": (("inputs", "tf_example:0"), ("scores", "y:0"), "classify"),
    "classify_x2_to_y3": (("inputs", "x2:0"), ("scores", "y3:0"), "classify"),
}


@pytest.mark.contract(SOURCE)
def test_metadata(rest: Rest) -> None:
    status, headers, body = rest("GET", f"{H}/metadata")
    assert (status, headers["content-type"]) == (200, "application/json")
    signatures = {}
    for name, ((key, tensor), (out, result), method) in _SIDES.items():
        column = ["-1", "1"]
        given = (
            _tensor("DT_STRING", tensor, None)
            if tensor.startswith("tf_example")
            else _tensor("DT_FLOAT", tensor, column)
        )
        signatures[name] = {
            "inputs": {key: given},
            "outputs": {out: _tensor("DT_FLOAT", result, column)},
            "method_name": f"tensorflow/serving/{method}",
            "defaults": {},
        }
    assert json.loads(body) == {
        "model_spec": {"name": HALF, "signature_name": "", "version": "123"},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }
