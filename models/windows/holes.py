"""Holes in a series: where they are, where they cut it, and how short ones are filled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.windows.gaps import Fill

Mask = npt.NDArray[np.bool_]
Spans = npt.NDArray[np.int64]


def runs(mask: Mask) -> Spans:
    """Maximal stretches where `mask` (bool `[n]`) is true: int64 `[runs, 2]`, `[start, stop)`."""
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    if mask.size and mask[0]:
        edges = np.concatenate(([0], edges))
    if mask.size and mask[-1]:
        edges = np.concatenate((edges, [mask.size]))
    return edges.astype(np.int64).reshape(-1, 2)


def stretches(observed: Mask, longest: int) -> Spans:
    """The stretches of a series that windows may use: its segments.

    Steps inside a run of more than `longest` missing values of any column are taken out. Each
    stretch that remains is trimmed to begin and end at a step where every column is observed, so
    that whatever is filled in it lies between two observed values of the same stretch.

    Args:
        observed: bool `[n, columns]` over consecutive steps.
        longest: Longest run of missing values that may be filled.

    Returns:
        int64 `[stretches, 2]`, `[start, stop)`, ascending, none empty.
    """
    whole: Mask = np.logical_and.reduce(observed, axis=1)
    if whole.all():
        return np.array([[0, len(whole)]] if len(whole) else [], np.int64).reshape(-1, 2)
    usable = np.ones(len(whole), np.bool_)
    for column in range(observed.shape[1]):
        missing = runs(~observed[:, column])
        for start, stop in missing[missing[:, 1] - missing[:, 0] > longest]:
            usable[start:stop] = False
    spans = runs(usable)
    complete = np.flatnonzero(whole)
    if not len(complete):
        return np.empty((0, 2), np.int64)
    low = np.searchsorted(complete, spans[:, 0])
    high = np.searchsorted(complete, spans[:, 1]) - 1
    kept = low <= high
    return np.stack([complete[low[kept]], complete[high[kept]] + 1], axis=1)


def fill(
    values: npt.NDArray[np.float32],
    observed: Mask,
    kind: Fill,
    borders: npt.ArrayLike,
    means: npt.NDArray[np.float64],
) -> None:
    """Fills the missing values of a segment in place.

    Linear interpolation looks at the far end of a hole. Two rules keep that honest. A hole whose
    two observed ends lie in different splits is filled with the previous value throughout, so no
    stored value of a split comes from a later one. And a window whose inputs end inside a hole
    does not use the interpolated values: `models.windows.hold` replaces them by the last value
    observed before, which is what a client has at serving time. `mean` is the mean of the train
    split; where a series has no train value of a column, the previous value is used.

    Args:
        values: float32 `[n, columns]`; first and last step are observed in every column.
        observed: bool `[n, columns]`.
        kind: How to fill.
        borders: Steps at which a split begins (any may lie outside `[0, n)`).
        means: `[columns]`, mean of the observed train values, nan where there are none.
    """
    starts = np.sort(np.asarray(borders, np.int64))
    for column in range(values.shape[1]):
        missing = runs(~observed[:, column])
        if not len(missing):
            continue
        x = values[:, column]
        before, after = missing[:, 0] - 1, missing[:, 1]
        length = after - before - 1
        rows = np.flatnonzero(~observed[:, column])
        left = np.repeat(before, length)
        if kind == "mean" and np.isfinite(means[column]):
            x[rows] = means[column]
        elif kind == "linear":
            split = np.searchsorted(starts, before, "right") == np.searchsorted(
                starts, after, "right"
            )
            share = (rows - left) / np.repeat(length + 1, length)
            low = x[left].astype(np.float64)
            rise = x[np.repeat(after, length)].astype(np.float64) - low
            x[rows] = low + np.where(np.repeat(split, length), share * rise, 0.0)
        else:
            x[rows] = x[left]
