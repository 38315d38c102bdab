"""`checked_tensor`: a JSON value as an array, value by value, by the rules of TF Serving.

The order of the checks and the words are those of its `json_tensor.cc`, so that the same mistake
gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.rest.json_numbers import element
from serving.rest.json_tensor import MAX_RANK, Expected, leading_shape
from serving.rest.json_text import show
from serving.status import Code, ServingError


def checked_tensor(value: Any, expected: Expected) -> npt.NDArray[Any]:
    """The array of `value`, a scalar or nested lists of one length on each level.

    Raises:
        ServingError: INVALID_ARGUMENT with the value that does not fit.
    """
    shape = leading_shape(value)
    found: list[Any] = []
    fill(value, shape, expected, found)
    return _array(found, shape, expected)


@dataclass
class Rows:
    """A tensor made of rows that come one by one and must all have one shape."""

    expected: Expected
    found: list[Any] = field(default_factory=list)
    shape: tuple[int, ...] | None = None
    size: int = 0
    count: int = 0

    def add(self, value: Any) -> None:
        """Adds a row.

        Raises:
            ServingError: INVALID_ARGUMENT if it does not fit the dtype or the rows before it.
        """
        before = len(self.found)
        shape = leading_shape(value, MAX_RANK - 1)
        fill(value, shape, self.expected, self.found)
        size = len(self.found) - before
        self.count += 1
        if self.shape is None:
            self.shape, self.size = shape, size
        elif size != self.size:
            raise _invalid(f"Expecting tensor size: {self.size} but got: {size}")
        elif shape != self.shape:
            raise _invalid(f"Expecting shape {_text(self.shape)} but got: {_text(shape)}")

    def array(self) -> npt.NDArray[Any]:
        """All rows, along a new first axis."""
        return _array(self.found, (self.count, *(self.shape or ())), self.expected)


def fill(
    value: Any, shape: tuple[int, ...], expected: Expected, found: list[Any], level: int = 0
) -> None:
    """Appends the elements of `value` to `found`.

    Raises:
        ServingError: INVALID_ARGUMENT if `value` is not nested as `shape` says.
    """
    if not isinstance(value, list):
        if level != len(shape):
            raise _invalid(
                f"JSON Value: {show(value)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(shape)}"
            )
        found.append(element(value, expected.tf_name, expected.dtype))
        return
    if level >= len(shape):
        raise _invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise _invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for inner in value:
        fill(inner, shape, expected, found, level + 1)


def _array(found: list[Any], shape: tuple[int, ...], expected: Expected) -> npt.NDArray[Any]:
    array = np.empty(len(found), dtype=expected.dtype)
    array[:] = found
    return array.reshape(shape)


def _text(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _invalid(message: str) -> ServingError:
    return ServingError(Code.INVALID_ARGUMENT, message)
