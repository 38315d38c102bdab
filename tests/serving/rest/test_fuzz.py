"""Anything at all is sent; the application answers as TF Serving would, and goes on answering."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from serving.rest.limits import RestLimits
from tests.serving.rest.asgi import call
from tests.serving.rest.conftest import HALF, LABEL

if TYPE_CHECKING:
    from tests.serving.rest.in_process import InProcess

EXPECTED = {200, 400, 404, 405, 413, 431}
"""501, 503 and 504 are in the contract too, but nothing here should cause them; 500 never is."""
LIMITS = RestLimits(
    max_body_bytes=20_000, max_decompressed_bytes=20_000, max_header_bytes=2_000, inline_bytes=500
)
MODELS = [HALF, "classifier", "counter", "tf2", "mixed", "none", "Modell%2F%C3%9F%3A1", "%2e%2e"]
VERBS = st.sampled_from(["GET", "POST"]) | st.sampled_from(["PUT", "HEAD", "DELETE", "X", "post"])
# What a request line can hold, as the HTTP server passes it on.
TARGET = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)
PIECES = (
    st.sampled_from(["/v1", "/v1/models", "/", ":", "?", "/metadata", "/versions/", "/labels/"])
    | st.sampled_from([":predict", ":classify", ":regress", "%2f", "%00", "%ff", "..", "123"])
    | st.sampled_from(MODELS)
    | TARGET
)
PATHS = st.lists(PIECES, max_size=6).map(lambda pieces: "/" + "".join(pieces)) | st.builds(
    lambda model, which, action: f"/v1/models/{model}{which}{action}",
    st.sampled_from(MODELS),
    st.sampled_from(["", "/versions/1", "/versions/123", f"/labels/{LABEL}", "/labels/a%2Fb%3Ac"]),
    st.sampled_from([":predict"] * 3 + [":classify", ":regress", "", "/metadata", ":x"]),
)
SCALARS = (
    st.floats()
    | st.integers(-3, 3)
    | st.integers()
    | st.booleans()
    | st.none()
    | st.text(max_size=4)
    | st.just({"b64": "aGVsbG8="})
)
NAMES = st.sampled_from(
    ["x", "y", "inputs", "scores", "count", "level", "tag", "on", "delta", "b64"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
SIGNATURES = st.sampled_from(
    ["serving_default", "regress_x_to_y", "classify_x_to_y", "incr_counter_by", "get_counter", ""]
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "instances": st.lists(VALUES, max_size=3) | VALUES,
        "inputs": VALUES,
        "examples": st.lists(st.dictionaries(NAMES, VALUES, max_size=2), max_size=3) | VALUES,
        "context": st.dictionaries(NAMES, VALUES, max_size=2),
        "signature_name": SIGNATURES | VALUES,
    },
)
BODIES = (
    DOCUMENTS.map(lambda document: json.dumps(document).encode())
    | st.binary(max_size=60)
    | st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace"))
    | st.integers(1, 15_000).map(lambda depth: b'{"instances": ' + b"[" * depth)
    | DOCUMENTS.map(lambda document: gzip.compress(json.dumps(document).encode()))
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"content-encoding", b"content-type", b"authorization", b"accept", b"expect", b"x"]
        ),
        st.sampled_from([b"gzip", b"identity", b"br", b"application/json", b"", b"\xff"])
        | st.binary(max_size=300),
    ),
    max_size=8,
)


FUZZ = settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(verb=VERBS, path=PATHS, headers=HEADERS, body=st.none() | BODIES)
def test_whatever_is_sent(
    in_process: InProcess, verb: str, path: str, headers: Any, body: Any
) -> None:
    _answered_as_it_should_be(in_process, verb, path, headers, body)


ROW = {"count": 1, "level": 0.5, "tag": {"b64": "aGVsbG8="}, "on": True}
GOOD: list[tuple[str, Any]] = [
    (f"{HALF}:predict", {"instances": [[2.0], [4.0]]}),
    (f"{HALF}/labels/{LABEL}:predict", {"inputs": {"x": [[2.0], [4.0]]}}),
    (f"{HALF}:regress", {"signature_name": "regress_x_to_y", "examples": [{"x": [2.0]}]}),
    (
        f"{HALF}:classify",
        {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}, {"x": 1.5}]},
    ),
    ("classifier:classify", {"context": {"x": 0.25}, "examples": [{}, {"x": 0.5}]}),
    ("mixed:predict", {"instances": [ROW, ROW]}),
    ("mixed:predict", {"inputs": {name: [value] * 2 for name, value in ROW.items()}}),
    ("Modell%2F%C3%9F%3A1/versions/1:predict", {"instances": [1.0, 2.0]}),
]


@FUZZ
@given(good=st.sampled_from(GOOD), data=st.data())
def test_requests_that_are_almost_good(
    in_process: InProcess, good: tuple[str, Any], data: st.DataObject
) -> None:
    path, document = good
    document = deepcopy(document)
    for _ in range(data.draw(st.integers(0, 2), "changes")):
        _change(document, data)
    body: Any = json.dumps(document).encode()
    headers = []
    if data.draw(st.booleans(), "compressed"):
        body, headers = gzip.compress(body), [(b"content-encoding", b"gzip")]
    if data.draw(st.integers(0, 9), "cut") == 0:
        body = body[: data.draw(st.integers(0, len(body)), "length")]
    if data.draw(st.booleans(), "in parts"):
        size = data.draw(st.integers(1, 40), "bytes of a part")
        body = [body[i : i + size] for i in range(0, len(body), size)]
    _answered_as_it_should_be(in_process, "POST", f"/v1/models/{path}", headers, body)


def _change(value: Any, data: st.DataObject) -> None:
    """Replaces, adds or takes away something somewhere in `value`."""
    while True:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inner = value[key]
        if not isinstance(inner, (list, dict)) or data.draw(st.booleans()):
            break
        value = inner
    what = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if what == "remove":
        del value[key]
    elif what == "replace":
        value[key] = deepcopy(data.draw(VALUES))
    elif isinstance(value, dict):
        value[data.draw(NAMES)] = deepcopy(data.draw(VALUES))
    else:
        value.append(deepcopy(data.draw(VALUES)))


def _answered_as_it_should_be(
    in_process: InProcess, verb: str, path: str, headers: Any, body: Any
) -> None:
    app = in_process.build(limits=LIMITS)
    answer = in_process.loop.run(call(app, verb, path, body, headers))
    event(f"status {answer.status}")
    assert answer.starts == 1
    assert answer.status in EXPECTED, answer.body
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["content-type"] == "application/json"
    document = json.loads(answer.body)
    if answer.status == 200:
        keys = {"predictions", "outputs", "results", "model_version_status", "model_spec"}
        assert set(document) & keys
    else:
        assert set(document) == {"error"}
        assert document["error"]
        assert "Traceback" not in document["error"]
    good = in_process.rest("POST", f"/v1/models/{HALF}:predict", {"instances": [2.0]}, app=app)
    assert (good[0], json.loads(good[2])) == (200, {"predictions": [3.0]})
