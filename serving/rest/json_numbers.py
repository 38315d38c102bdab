"""`json_numbers`: which JSON values are numbers of which dtype, as TF Serving has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.rest.json_bytes import to_bytes
from serving.rest.json_text import overflowed, show, type_name
from serving.status import Code, ServingError


@dataclass(frozen=True)
class Decimal:
    """A floating-point dtype.

    Attributes:
        name: For messages.
        max_int: The largest integer written without a fraction that is accepted: up to it every
            integer is exact.
        beyond: The smallest number that would be rounded to infinity. (TF Serving refuses numbers
            above the largest finite one, among them that one itself in nine digits, as it writes
            it.)
    """

    name: str
    max_int: int
    beyond: float


DECIMALS = {
    "DT_HALF": Decimal("half", (1 << 11) - 1, (2 - 2.0**-11) * 2.0**15),
    "DT_FLOAT": Decimal("float", (1 << 24) - 1, (2 - 2.0**-24) * 2.0**127),
    "DT_DOUBLE": Decimal("double", (1 << 53) - 1, float("inf")),
}
_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1


def dtype_name(tf_name: str) -> str:
    """A dtype as messages of TensorFlow name it: `float` for `DT_FLOAT`."""
    return tf_name.removeprefix("DT_").lower()


def element(value: Any, tf_name: str, dtype: np.dtype[Any]) -> Any:
    """One JSON value as an element of a tensor.

    Raises:
        ServingError: INVALID_ARGUMENT if it is of another type, out of range, or would lose digits;
            UNIMPLEMENTED if JSON has no values of this dtype.
    """
    if tf_name == "DT_STRING":
        if not isinstance(value, (str, dict)):
            raise _wrong_type(value, tf_name)
        return to_bytes(value)
    if tf_name in DECIMALS:
        return decimal(value, DECIMALS[tf_name], tf_name)
    if dtype.kind == "b":
        if not isinstance(value, bool):
            raise _wrong_type(value, tf_name)
        return value
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # type, not isinstance: a bool is an int, but not in JSON.
        if type(value) is not int or not limits.min <= value <= limits.max:
            raise _wrong_type(value, tf_name)
        return value
    raise ServingError(
        Code.UNIMPLEMENTED,
        f"Conversion of JSON Value: {show(value)} to type: {dtype_name(tf_name)}",
    )


def decimal(value: Any, kind: Decimal, tf_name: str) -> float:
    """One JSON value as a floating-point number.

    Raises:
        ServingError: INVALID_ARGUMENT if it is no number, or none of this dtype.
    """
    if type(value) is int:
        if _LOWEST <= value <= _HIGHEST:
            if abs(value) > kind.max_int:
                raise _lossy(value, kind)
            return float(value)
        # What no 64-bit integer can hold is read as if it were written with a fraction.
        try:
            value = float(value)
        except OverflowError:
            raise _too_big() from None
    if not isinstance(value, float):
        raise _wrong_type(value, tf_name)
    if overflowed(value):
        raise _too_big()
    if kind.beyond <= abs(value) < float("inf"):
        raise _lossy(value, kind)
    return value


def _wrong_type(value: Any, tf_name: str) -> ServingError:
    return ServingError(
        Code.INVALID_ARGUMENT,
        f"JSON Value: {show(value)} Type: {type_name(value)} "
        f"is not of expected type: {dtype_name(tf_name)}",
    )


def _lossy(value: Any, kind: Decimal) -> ServingError:
    return ServingError(
        Code.INVALID_ARGUMENT,
        f"Cannot convert JSON value: {show(value)} to {kind.name} without loss of precision.",
    )


def _too_big() -> ServingError:
    return ServingError(
        Code.INVALID_ARGUMENT, "JSON Parse error: Number too big to be stored in double."
    )
