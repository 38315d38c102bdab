"""TF Serving's test of what it reads from a path."""

from __future__ import annotations

import pytest

from serving.inference.target import Target
from serving.rest.routes import Method, Route, parse_route
from serving.status import Code, ServingError

SOURCE = "model_servers/http_rest_api_util_test.cc"
pytestmark = pytest.mark.contract(SOURCE)

# The characters that have a meaning in URLs, as they are and escaped.
RESERVED = "!#$%&'()*+,/:;=?@[]"
ESCAPED = "".join(f"%{ord(character):02X}" for character in RESERVED)
M = "/v1/models/"

PARSED: dict[str, tuple[str, str, Route]] = {
    "GET, reserved characters in the name": (
        "GET",
        f"{M}co2{ESCAPED}",
        Route(Method.STATUS, Target("co2" + RESERVED)),
    ),
    "GET, version": (
        "GET",
        f"{M}co2/versions/42",
        Route(Method.STATUS, Target("co2", version=42)),
    ),
    "GET, label": (
        "GET",
        f"{M}co2/labels/champion",
        Route(Method.STATUS, Target("co2", label="champion")),
    ),
    "GET, reserved characters in the label": (
        "GET",
        f"{M}co2/labels/champion{ESCAPED}",
        Route(Method.STATUS, Target("co2", label="champion" + RESERVED)),
    ),
    "GET, metadata": (
        "GET",
        f"{M}co2/labels/champion/metadata",
        Route(Method.METADATA, Target("co2", label="champion")),
    ),
    "GET, metadata with reserved characters": (
        "GET",
        f"{M}co2{ESCAPED}/labels/champion{ESCAPED}/metadata",
        Route(Method.METADATA, Target("co2" + RESERVED, label="champion" + RESERVED)),
    ),
    "POST, reserved characters in the name": (
        "POST",
        f"{M}co2{ESCAPED}:predict",
        Route(Method.PREDICT, Target("co2" + RESERVED)),
    ),
    "POST, version": (
        "POST",
        f"{M}co2/versions/42:predict",
        Route(Method.PREDICT, Target("co2", version=42)),
    ),
    "POST, label": (
        "POST",
        f"{M}co2/labels/champion:predict",
        Route(Method.PREDICT, Target("co2", label="champion")),
    ),
    "POST, reserved characters in the label": (
        "POST",
        f"{M}co2/labels/champion{ESCAPED}:predict",
        Route(Method.PREDICT, Target("co2", label="champion" + RESERVED)),
    ),
    "POST, reserved characters in both": (
        "POST",
        f"{M}co2{ESCAPED}/labels/champion{ESCAPED}:predict",
        Route(Method.PREDICT, Target("co2" + RESERVED, label="champion" + RESERVED)),
    ),
}


@pytest.mark.parametrize("case", PARSED)
def test_parsed(case: str) -> None:
    verb, path, expected = PARSED[case]
    assert parse_route(verb, path) == expected


REFUSED: dict[str, tuple[str, str, str]] = {
    "GET, not models": ("GET", "/v1/bar", "Malformed request: GET /v1/bar"),
    "GET of an action": ("GET", f"{M}bar:predict", f"Malformed request: GET {M}bar:predict"),
    "GET, version in the singular": (
        "GET",
        f"{M}bar/version/7:predict",
        f"Malformed request: GET {M}bar/version/7:predict",
    ),
    "POST, not models": ("POST", "/v1/bar", "Malformed request: POST /v1/bar"),
    "POST, no name": ("POST", "/v1/models", "Malformed request: POST /v1/models"),
    "POST, version in the singular": (
        "POST",
        f"{M}bar/version/7:predict",
        f"Malformed request: POST {M}bar/version/7:predict",
    ),
    "POST, version is a word": (
        "POST",
        f"{M}bar/versions/seven:predict",
        f"Malformed request: POST {M}bar/versions/seven:predict",
    ),
    "POST, version above int64": (
        "POST",
        f"{M}bar/versions/{(1 << 64) - 1}:predict",
        "Failed to convert version",
    ),
    "POST of metadata": ("POST", f"{M}bar/metadata", f"Malformed request: POST {M}bar/metadata"),
    "POST, version and label": (
        "POST",
        f"{M}bar/versions/7/labels/best:regress",
        f"Malformed request: POST {M}bar/versions/7/labels/best:regress",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    verb, path, says = REFUSED[case]
    with pytest.raises(ServingError) as refusal:
        parse_route(verb, path)
    assert refusal.value.code is Code.INVALID_ARGUMENT
    assert says in refusal.value.message
