"""The rows that baselines may be fitted to, and their moments."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.windows.store import SeriesStore

Array = npt.NDArray[np.float64]


def train_stretches(store: SeriesStore) -> list[tuple[int, int, int]]:
    """The rows of each segment before the validation boundary.

    Returns:
        (index of the series, first row, row after the last), for segments that have any.
    """
    stretches = []
    for series, first, rows in store.segments:
        time = store.time[first : first + rows]
        stop = int(first) + int(np.searchsorted(time, store.boundaries[1], side="left"))
        if stop > first:
            stretches.append((int(series), int(first), stop))
    return stretches


def series_moments(store: SeriesStore) -> tuple[Array, Array]:
    """Mean and population standard deviation of each series and column on the train rows.

    Only observed values count.

    Returns:
        Two float64 `[series, columns]`; nan for a series without train rows, and a standard
        deviation of 1 for a column that is constant.
    """
    groups = [(series, first, stop) for series, first, stop in train_stretches(store)]
    return _moments(store, groups, len(store.series))


def column_moments(store: SeriesStore) -> tuple[Array, Array]:
    """Mean and population standard deviation of each column on the train rows of all series.

    Returns:
        Two float64 `[columns]`, as `series_moments`.
    """
    mean, std = _moments(store, [(0, a, b) for _, a, b in train_stretches(store)], 1)
    return mean[0], std[0]


def _moments(
    store: SeriesStore, groups: list[tuple[int, int, int]], number: int
) -> tuple[Array, Array]:
    shape = (number, store.values.shape[1])
    count, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for group, first, stop in groups:
        seen = np.asarray(store.observed[first:stop])
        count[group] += seen.sum(axis=0)
        total[group] += np.where(seen, store.values[first:stop], 0.0).sum(axis=0, dtype=np.float64)
    count = np.where(count > 0, count, np.nan)
    mean = total / count
    # A second pass: squares of raw values would cancel for series far from zero.
    for group, first, stop in groups:
        seen = np.asarray(store.observed[first:stop])
        squares[group] += np.where(
            seen, np.square(store.values[first:stop] - mean[group]), 0.0
        ).sum(axis=0)
    std = np.sqrt(squares / count)
    constant = std <= 1e-12 * np.abs(mean)
    return mean, np.where(constant, 1.0, std)
