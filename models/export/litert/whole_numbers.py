"""`WholeNumbers`: int64 arithmetic of a calendar with the operations that LiteRT has."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any


class WholeNumbers:
    """An int64 tensor; `//` and `%` round down, as in Python.

    LiteRT divides no int64 (its FLOOR_DIV knows 32 bits), but has their remainder, and what is left
    without the remainder is divided in float32 and rounded. That is exact as long as quotients stay
    below 2**22: a float32 is off by at most 2**-24 of itself, so cast and division together are off
    by less than a half. The largest quotient of a calendar is the number of days since 1970, which
    gets there in the year 13453.

    Attributes:
        tensor: int64.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __add__(self, other: Any) -> WholeNumbers:
        return WholeNumbers(self.tensor + _tensor(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> WholeNumbers:
        return WholeNumbers(self.tensor - _tensor(other))

    def __rsub__(self, other: Any) -> WholeNumbers:
        return WholeNumbers(_tensor(other) - self.tensor)

    def __mul__(self, other: Any) -> WholeNumbers:
        return WholeNumbers(self.tensor * _tensor(other))

    __rmul__ = __mul__

    def __mod__(self, other: int) -> WholeNumbers:
        return WholeNumbers(tf.math.floormod(self.tensor, _tensor(other)))

    def __floordiv__(self, other: int) -> WholeNumbers:
        multiple = tf.cast((self - self % other).tensor, tf.float32)
        return WholeNumbers(tf.cast(tf.round(multiple / float(other)), tf.int64))


def _tensor(value: Any) -> Tensor:
    return value.tensor if isinstance(value, WholeNumbers) else tf.constant(value, tf.int64)
