"""Where a series can be forecast from, judged by what is known at the origin.

The windows of training lie in segments that end where a long hole begins. Outside training the
end of a hole is not known yet, so a step is judged by what came before it: a hole may be as long
as `gaps.max` up to the origin. Every origin of training is one here too, with the same inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.windows.hold import age
from models.windows.holes import Mask, runs


@dataclass(frozen=True)
class Segment:
    """Rows of a series in which a window's inputs may lie.

    Attributes:
        start: First row, where every column is observed; may lie before the rows at hand.
        stop: The row after the last that may be an origin.
        known: The row after the last at which every future covariate is known.
    """

    start: int
    stop: int
    known: int


def too_old(observed: Mask, longest: int) -> Mask:
    """Where a column has been missing for more than `longest` steps: bool `[n, columns]`.

    A column that is missing in the first rows counts from there.
    """
    start = np.zeros(len(observed), np.int64)
    ages = [age(observed[:, c], start) for c in range(observed.shape[1])]
    return np.stack(ages, axis=1) > longest if ages else np.zeros(observed.shape, np.bool_)


def unknown(observed: Mask, longest: int, *, more: bool = False) -> Mask:
    """Where a future covariate is not known: in a hole of more than `longest` steps, or at the end.

    Args:
        observed: bool `[n, columns]`, of the future covariates.
        longest: Longest hole that is filled.
        more: Whether rows follow, so that a short hole at the end may still be filled.

    Returns:
        bool `[n]`.
    """
    found = np.zeros(len(observed), np.bool_)
    for column in range(observed.shape[1]):
        missing = runs(~observed[:, column])
        long = missing[:, 1] - missing[:, 0] > longest
        if not more:
            long |= missing[:, 1] == len(observed)
        for start, stop in missing[long]:
            found[start:stop] = True
    return found


def segments(
    observed: Mask,
    futures: Mask,
    longest: int,
    *,
    first: int = 0,
    start: int | None = None,
    more: bool = False,
) -> list[Segment]:
    """The segments of consecutive steps.

    Args:
        observed: bool `[n, columns]`.
        futures: bool `[columns]`, which of them are future covariates.
        longest: Longest hole that is filled.
        first: Row from which on segments are wanted. There are at least `longest + 1` rows before
            it, or it is the first row of the series.
        start: Where the segment that holds `first` began, relative to the rows at hand, if that
            is before `first`.
        more: Whether rows follow.

    Returns:
        Ascending. Rows of a segment are in no hole of more than `longest` steps as far as they are
        themselves known, and the future covariates are known there.
    """
    past = too_old(observed[:, ~futures], longest).any(axis=1)
    missing = unknown(observed[:, futures], longest, more=more)
    complete = np.flatnonzero(observed.all(axis=1))
    holes = np.flatnonzero(missing)
    found = []
    for low, stop in runs(~(past | missing)[first:]) + first:
        at = np.searchsorted(complete, low)
        begin = int(complete[at]) if at < len(complete) else len(observed)
        if low == first and start is not None:
            begin = start
        if begin >= stop:
            continue
        after = np.searchsorted(holes, max(begin, first))
        known = int(holes[after]) if after < len(holes) else len(observed)
        found.append(Segment(begin, int(stop), known))
    return found
