"""`tensor`: a JSON value as the array that an input of a signature takes, quickly.

What is plainly right is converted in a few calls into C. All else goes to `json_tensor_checked`,
which goes through the values one by one, and either makes the array or says which value is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from serving.rest.json_bytes import to_bytes
from serving.rest.json_numbers import DECIMALS, Decimal
from serving.status import Code, ServingError

Array = npt.NDArray[Any]
MAX_RANK = 64
"""Axes of an array in numpy at most."""
_BLOCK = 16_384
"""Numbers that one call into C converts; between two calls other threads may run."""


class Expected(Protocol):
    """What a tensor must be; `serving.engine.signature.TensorInfo` is one."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """As numpy has it; `object` for strings."""

    @property
    def tf_name(self) -> str:
        """As TensorFlow writes it, such as `DT_FLOAT`."""


def leading_shape(value: Any, most: int = MAX_RANK) -> tuple[int, ...]:
    """The lengths of `value`, of its first element, of that one's first element and so on.

    Raises:
        ServingError: INVALID_ARGUMENT if there are more than `most`.
    """
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > most:
            raise ServingError(
                Code.INVALID_ARGUMENT, f"Encountered lists nested more than {most} deep"
            )
        if not value:
            break
        value = value[0]
    return tuple(shape)


def plain_tensor(value: Any, expected: Expected, shape: tuple[int, ...]) -> Array | None:
    """The array of `value`, if every element is at once seen to be right; else None.

    Args:
        value: Nested lists.
        expected: The tensor that is wanted.
        shape: `leading_shape(value)`.
    """
    try:
        if expected.tf_name == "DT_STRING":
            return _strings(value, shape)
        if expected.tf_name in DECIMALS:
            return _decimals(value, shape, expected.dtype, DECIMALS[expected.tf_name])
        if expected.dtype.kind in "iu":
            return _integers(value, shape, expected.dtype)
        if expected.dtype.kind == "b":
            return _blocks(value, shape, {bool}, np.dtype(bool))
    except (ValueError, TypeError, OverflowError, ServingError):
        # Ragged, a list where a value belongs or the other way round, or out of range: which it
        # is, and where, the slow way will say.
        return None
    return None


def _decimals(
    value: Any, shape: tuple[int, ...], dtype: np.dtype[Any], decimal: Decimal
) -> Array | None:
    array = _blocks(value, shape, {float, int}, np.dtype(np.float64))
    if array is None or not array.size:
        return None if array is None else array.astype(dtype)
    largest = max(-float(array.min()), float(array.max()))
    if not largest <= decimal.max_int:
        finite = np.isfinite(array)
        largest = float(np.abs(array, where=finite, out=np.zeros_like(array)).max())
        # An infinity may be a number too big for a double, and a large integer may not be exact.
        unsure = bool(np.isinf(array).any()) or (
            largest > decimal.max_int and int in set(map(type, leaves(value, len(shape))))
        )
        if unsure or largest >= decimal.beyond:
            return None
    return array.astype(dtype)


def _integers(value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array | None:
    wide = np.dtype(np.uint64 if dtype == np.uint64 else np.int64)
    array = _blocks(value, shape, {int}, wide)
    if array is None or not array.size:
        return None if array is None else array.astype(dtype)
    limits = np.iinfo(dtype)
    if array.min() < limits.min or array.max() > limits.max:
        return None
    return array.astype(dtype)


def _blocks(
    value: Any, shape: tuple[int, ...], types: set[type], dtype: np.dtype[Any]
) -> Array | None:
    if not shape:
        return None
    step = max(1, _BLOCK // max(1, prod(shape[1:])))
    parts = []
    for start in range(0, max(1, len(value)), step):
        block = value if len(value) <= step else value[start : start + step]
        # Before numpy sees them: it would take a string for a number, and None for nan.
        if not types.issuperset(map(type, leaves(block, len(shape)))):
            return None
        parts.append(np.asarray(block, dtype=dtype))
    array = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return array if array.shape == shape else None


def _strings(value: Any, shape: tuple[int, ...]) -> Array | None:
    if not shape:
        return None
    level: list[Any] = [value]
    for size in shape:
        if not {list}.issuperset(map(type, level)) or not {size}.issuperset(map(len, level)):
            return None
        level = list(chain.from_iterable(level))
    if not {str, dict}.issuperset(map(type, level)):
        return None
    array = np.empty(len(level), dtype=object)
    array[:] = [to_bytes(text) for text in level]
    return array.reshape(shape)


def leaves(value: Any, rank: int) -> Iterator[Any]:
    """The elements of lists nested `rank` deep, in order."""
    level: Iterable[Any] = value
    for _ in range(rank - 1):
        level = chain.from_iterable(level)
    return iter(level)
