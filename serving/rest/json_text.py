"""`parse`: the body of a request as a JSON object, by the rules of TF Serving.

The words of a refusal are those of TF Serving's parser where clients may look for them
(`JSON Parse error: ... at offset: ...`). Stricter than it: an object with the same key twice, bytes
that are not UTF-8, and half a surrogate pair are refused, because each would change the data
silently.
"""

from __future__ import annotations

import json
import re
from itertools import islice

# The two functions behind every JSON decoder in pure Python; typeshed does not list them.
from json.decoder import JSONArray, JSONObject  # type: ignore[attr-defined]
from typing import Any

from serving.status import Code, ServingError

SHOWN = 200
"""Characters of a value that a message repeats at most."""
INFINITY = float("inf")
MINUS_INFINITY = -INFINITY
"""The very objects that stand for the tokens: any other infinity came from a number too big."""
_CONSTANTS = {"NaN": float("nan"), "Infinity": INFINITY, "-Infinity": MINUS_INFINITY}
_SHARED_FROM = 65_536
"""Characters from which the parser lets other threads run between two rows."""
_LONG = re.compile(r"\d{4300,}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_WORDS = {
    "Expecting value": "Invalid value",
    "Extra data": "The document root must not be followed by other values",
    "Expecting property name enclosed in double quotes": "Missing a name for object member",
    "Expecting ':' delimiter": "Missing a colon after a name of object member",
    "Expecting ',' delimiter": "Missing a comma, or the end, after an element or a member",
    "Unterminated string starting at": "Missing a closing quotation mark in string",
    "Invalid control character at": "Invalid encoding in string: control character",
    "Invalid \\escape": "Invalid escape character in string",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string",
}


class _RepeatedKeyError(ValueError):
    """An object had the same key twice."""


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`.

    Numbers become int or float; the tokens NaN, Infinity and -Infinity are accepted, and the latter
    two become the objects `INFINITY` and `MINUS_INFINITY`.

    Raises:
        ServingError: INVALID_ARGUMENT if it is no JSON, not an object, or nested too deeply.
    """
    if not body:
        raise _refusal("The document is empty")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(f"Invalid encoding: {error.reason}, expected UTF-8", error.start) from None
    try:
        found = _decode(text)
    except json.JSONDecodeError as error:
        if not text.strip(" \t\r\n"):
            raise _refusal("The document is empty", error.pos) from None
        words = _WORDS.get(error.msg.removesuffix(": "), error.msg)
        raise _refusal(words, _offset(text, error.pos)) from None
    except RecursionError:
        raise _refusal("The document is nested too deeply for a tensor") from None
    except _RepeatedKeyError as error:
        raise _refusal(str(error)) from None
    except ValueError:
        # Of what is left only this: Python refuses to convert integers of so many digits.
        place = _LONG.search(text)
        offset = _offset(text, place.start()) if place else None
        raise _refusal("Number too big to be stored in double", offset) from None
    if "\\ud" in text or "\\uD" in text:
        _check_surrogates(text)
    if not isinstance(found, dict):
        raise ServingError(Code.INVALID_ARGUMENT, f"JSON Value: {show(found)} Is not object")
    return found


def show(value: Any) -> str:
    """`value` as JSON for a message: cut short, and never failing."""
    if isinstance(value, str):
        return _cut(json.dumps(value[: SHOWN + 1], ensure_ascii=False))
    parts: list[str] = []
    try:
        parts.extend(islice(_ENCODER.iterencode(value), SHOWN))
    except RecursionError:
        parts.append("...")
    return _cut("".join(parts))


def type_name(value: Any) -> str:
    """The JSON type of `value`, as messages name it."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return "Object"
    if isinstance(value, list):
        return "Array"
    return "String" if isinstance(value, str) else "Number"


def overflowed(value: float) -> bool:
    """Whether the float `value` is infinite because its number was too big for a double."""
    return value in (INFINITY, MINUS_INFINITY) and not (
        value is INFINITY or value is MINUS_INFINITY
    )


def _decode(text: str) -> Any:
    if len(text) < _SHARED_FROM:
        return _DECODER.decode(text)
    found, end = _scan(text, _skip(text, 0))
    end = _skip(text, end)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return found


def _scan(text: str, at: int) -> tuple[Any, int]:
    """Parses outer objects, and the first list inside them, in Python, and its elements in C.

    One call into C holds the interpreter's lock until it returns; for a large body that would
    stop every other request, whatever thread it runs in.
    """
    first = text[at : at + 1]
    read: tuple[Any, int]
    if first == "{":
        read = JSONObject((text, at + 1), True, _scan, None, _members)
    elif first == "[":
        read = JSONArray((text, at + 1), _DECODER.raw_decode)
    else:
        read = _DECODER.raw_decode(text, at)
    return read


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RepeatedKeyError(f"Object has the key {show(name)} more than once")
            seen.add(name)
    return members


def _check_surrogates(text: str) -> None:
    """Refuses escapes of half a surrogate pair: no string with one can be written as UTF-8."""
    high = None
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1] or "0", 16)
        low = 0xDC00 <= code <= 0xDFFF
        if high is not None or low:
            if high is None or high.end() != escape.start() or not low:
                raise _half(text, high or escape)
            high = None
        elif 0xD800 <= code < 0xDC00:
            high = escape
    if high is not None:
        raise _half(text, high)


def _half(text: str, escape: re.Match[str]) -> ServingError:
    return _refusal("The surrogate pair in string is invalid", _offset(text, escape.start()))


def _skip(text: str, at: int) -> int:
    match = json.decoder.WHITESPACE.match(text, at)  # type: ignore[attr-defined]
    return match.end() if match else at


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _offset(text: str, characters: int) -> int:
    """The offset in bytes of the character at `characters`."""
    return len(text[:characters].encode("utf-8"))


def _refusal(words: str, offset: int | None = None) -> ServingError:
    place = "" if offset is None else f" at offset: {offset}"
    return ServingError(Code.INVALID_ARGUMENT, f"JSON Parse error: {words}.{place}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_CONSTANTS.__getitem__, strict=True
)
_ENCODER = json.JSONEncoder(ensure_ascii=False)
