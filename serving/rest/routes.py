"""`parse_route`: what a method and path ask for.

    POST /v1/models/NAME[/versions/N|/labels/L]:predict|:classify|:regress
    GET  /v1/models/NAME[/versions/N|/labels/L][/metadata]

As in TF Serving (`http_rest_api_util.cc`) the path is matched as it was sent, before its
percent-escapes are decoded, and with its query: a `/` or `:` in a name has to be escaped, and a
query makes the path another one. Decoded names are looked up among the models' names, never on
disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote_to_bytes

from serving.inference.target import Target
from serving.status import Code, ServingError

API = re.compile(r"/v1/.*", re.IGNORECASE)
"""Paths that are answered at all, be it with an error."""
_MODEL = r"/([^/:]+)"
_CHOICE = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
_FLAGS = re.IGNORECASE | re.ASCII
_POST = re.compile(rf"/v1/models{_MODEL}{_CHOICE}:(classify|regress|predict)", _FLAGS)
_GET = re.compile(rf"/v1/models(?:{_MODEL})?{_CHOICE}(?:/(metadata))?", _FLAGS)
_INT64_DIGITS = 19


class Method(Enum):
    """What can be asked; the values are the names of the gRPC methods."""

    PREDICT = "Predict"
    CLASSIFY = "Classify"
    REGRESS = "Regress"
    STATUS = "GetModelStatus"
    METADATA = "GetModelMetadata"


_VERBS = {"predict": Method.PREDICT, "classify": Method.CLASSIFY, "regress": Method.REGRESS}


@dataclass(frozen=True)
class Route:
    """A method, and the model and version it is asked of."""

    method: Method
    target: Target


def parse_route(verb: str, path: str) -> Route:
    """The route for the HTTP method `verb` and a path as it was sent, with its query.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no such path, or a part of it has no meaning.
    """
    found = {"POST": _POST, "GET": _GET}.get(verb)
    match = found.fullmatch(path) if found else None
    if match is None:
        raise malformed(verb, path)
    name, version, label, last = match.groups()
    if verb == "POST":
        # The rest of a path may be written in capitals, the verb of the model may not.
        method = _VERBS.get(last)
    else:
        method = Method.METADATA if last == "metadata" else Method.STATUS
    if method is None:
        raise malformed(verb, path)
    if not name:
        raise ServingError(Code.INVALID_ARGUMENT, "Missing model name in request.")
    return Route(
        method,
        Target(
            name=_decoded(name, "model name"),
            version=None if version is None else _int64(version),
            label=None if label is None else _decoded(label, "model version label"),
        ),
    )


def malformed(verb: str, path: str) -> ServingError:
    """The error for a request that fits none of the paths."""
    return ServingError(Code.INVALID_ARGUMENT, f"Malformed request: {verb} {path}")


def _decoded(text: str, what: str) -> str:
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise ServingError(
            Code.INVALID_ARGUMENT, f"Failed to decode {what}: {text} is not UTF-8"
        ) from None


def _int64(digits: str) -> int:
    short = digits.lstrip("0") or "0"
    if len(short) <= _INT64_DIGITS and (version := int(short)) < 1 << 63:
        return version
    raise ServingError(Code.INVALID_ARGUMENT, f"Failed to convert version: {digits} to numeric.")
