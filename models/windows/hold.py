"""Holding the last observed value where a window's inputs end inside a filled hole.

A hole filled by linear interpolation holds values computed from the step after it. A window whose
inputs end inside the hole would so see its own future, in training and in every score. Its last
inputs therefore repeat the last value observed before, as a client would have to at serving time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def age(observed: npt.NDArray[np.bool_], start: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Steps since the last observed value of one column, 0 where observed.

    Args:
        observed: bool `[rows]`, whole segments.
        start: int32 or int64 `[rows]`, first row of the segment that each row belongs to; a column
            that is not observed there counts from it.

    Returns:
        `[rows]`, of the type of `start`.
    """
    rows = np.arange(len(observed), dtype=start.dtype)
    last = np.where(observed, rows, start)
    np.maximum.accumulate(last, out=last)
    return np.subtract(rows, last, out=rows)


def last_observed(
    observed: npt.NDArray[np.bool_],
    first: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    column: int,
) -> npt.NDArray[np.int64]:
    """Row of the last observed value of `column` at or before each of `rows`.

    Args:
        observed: bool `[all rows, columns]`.
        first: int64 `[n]`, first row of the segment of each of `rows`: the search ends there.
        rows: int64 `[n]`.
        column: Which column.

    Returns:
        int64 `[n]`.
    """
    found = np.array(rows, dtype=np.int64)
    open_ = np.flatnonzero(~observed[found, column] & (found > first))
    while open_.size:
        found[open_] -= 1
        open_ = open_[~observed[found[open_], column] & (found[open_] > first[open_])]
    return found


def hold(
    window: npt.NDArray[np.float32],
    values: npt.NDArray[np.float32],
    observed: npt.NDArray[np.bool_],
    first: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    column: int,
) -> None:
    """Replaces, in place, what a window of one column holds of a hole that is open at its end.

    Args:
        window: float32 `[n, steps]`: the column at rows `ends - steps + 1 .. ends`.
        values: float32 `[all rows, columns]`.
        observed: bool `[all rows, columns]`.
        first: int64 `[n]`, first row of the segment of each window.
        ends: int64 `[n]`, last row of each window.
        column: Which column.
    """
    late = np.flatnonzero(~observed[ends, column])
    if not late.size:
        return
    last = last_observed(observed, first[late], ends[late], column)
    steps = window.shape[1]
    rows = ends[late, None] + np.arange(1 - steps, 1)
    kept = values[last, column][:, None]
    window[late] = np.where(rows > last[:, None], kept, window[late])
