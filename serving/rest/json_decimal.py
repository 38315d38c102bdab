"""`decimals`: floating-point numbers as JSON, digit by digit as TF Serving writes them.

Six significant digits where they give the number back, else as many as always do (9 for float32,
17 for float64); `.0` after whole numbers, so that readers take them for decimals; and the tokens
NaN, Infinity and -Infinity, which are not JSON but which TF Serving and most readers know.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_SHORT = 6
_FULL = {2: 6, 4: 9, 8: 17}
"""Digits that always give the number back, by the bytes of the type."""
_BLOCK = 16_384
"""Numbers that one call into C converts; between two calls other threads may run."""
_TOKENS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def decimals(array: npt.NDArray[Any]) -> list[str]:
    """The elements of `array` (float16, 32 or 64, of one axis) as JSON tokens."""
    if len(array) <= _BLOCK:
        return _block(array)
    tokens: list[str] = []
    for start in range(0, len(array), _BLOCK):
        tokens += _block(array[start : start + _BLOCK])
    return tokens


def _block(array: npt.NDArray[Any]) -> list[str]:
    numbers = array.tolist()
    tokens = _formatted(numbers, _SHORT)
    with np.errstate(over="ignore"):
        back = np.array(list(map(float, tokens)), dtype=np.float64).astype(array.dtype)
    inexact = np.flatnonzero(back != array).tolist()
    digits = _FULL[array.dtype.itemsize]
    for i, token in zip(inexact, _formatted([numbers[i] for i in inexact], digits), strict=True):
        tokens[i] = token
    for i in np.flatnonzero((array == np.rint(array)) | ~np.isfinite(array)).tolist():
        token = tokens[i]
        if "." not in token and "e" not in token:
            tokens[i] = _TOKENS.get(token) or token + ".0"
    return tokens


def _formatted(numbers: list[float], digits: int) -> list[str]:
    return (f"%.{digits}g " * len(numbers) % tuple(numbers)).split()
