"""`to_bytes`: strings, and binary data in base64 as `{"b64": "..."}`."""

from __future__ import annotations

import binascii
from typing import Any

from serving.rest.json_text import show
from serving.status import Code, ServingError

KEY = "b64"
_GROUP = 4


def is_base64(value: Any) -> bool:
    """Whether `value` is an object that stands for binary data."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(KEY), str)


def to_bytes(value: str | dict[str, Any]) -> bytes:
    """The bytes of a string (UTF-8) or of an object with base64 in it.

    As in TF Serving white space in the base64 is passed over and its padding may be left out.

    Raises:
        ServingError: INVALID_ARGUMENT if it is another object, or no base64.
    """
    if isinstance(value, dict):
        if not is_base64(value):
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"JSON Value: {show(value)} not formatted correctly for base64 data",
            )
        return _unescape(value[KEY])
    return value.encode("utf-8")


def to_base64(value: bytes) -> dict[str, str]:
    """The object that stands for `value`."""
    return {KEY: binascii.b2a_base64(value, newline=False).decode("ascii")}


def _unescape(text: str) -> bytes:
    packed = "".join(text.split())
    digits = packed.rstrip("=")
    missing = -len(digits) % _GROUP
    try:
        if len(packed) - len(digits) not in (0, missing) or missing == _GROUP - 1:
            raise ValueError("wrong padding")
        return binascii.a2b_base64(digits + "=" * missing, strict_mode=True)
    except ValueError:
        raise ServingError(
            Code.INVALID_ARGUMENT, f"Unable to base64 decode: {show(text)}"
        ) from None
