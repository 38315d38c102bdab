"""The smoother of Rauch, Tung and Striebel (1965): states given a whole series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.lds.covariances import Backward
from models.lds.kalman import Filtered, recur
from models.lds.system import Array


@dataclass(frozen=True)
class Run:
    """Consecutive rows with the same update.

    Attributes:
        first: Its first row.
        stop: The row after its last.
        update: Index into `Forward.updates`.
        number: Of the covariance of the first row's states, an index into `Backward.covariances`.
        total: Sum of the covariances of all its rows, float64 `[n, n]`.
    """

    first: int
    stop: int
    update: int
    number: int
    total: Array


@dataclass(frozen=True)
class Smoothed:
    """The states of a series given all of it.

    Attributes:
        means: float64 `[rows, n]`.
        runs: All rows, in order; the last row is a run of its own.
        backward: The covariances.
    """

    means: Array
    runs: tuple[Run, ...]
    backward: Backward

    @property
    def covariances(self) -> Array:
        """float64 `[rows, n, n]`: large; for looking at short series."""
        result = np.empty((len(self.means), *self.runs[0].total.shape))
        later = -1
        for run in self.runs[::-1]:
            for row in range(run.stop - 1, run.first - 1, -1):
                step, last = self.backward.step, self.backward.last
                later = last(run.update) if later < 0 else step(run.update, later)
                result[row] = self.backward.covariances[later]
        return result


def smooth(filtered: Filtered, backward: Backward | None = None) -> Smoothed:
    """Smooths one filtered series.

    Args:
        filtered: What `kalman_filter` returned, of at least one row.
        backward: Covariances of earlier series filtered with the same `forward`.
    """
    backward = backward or Backward(filtered.forward)
    transition = filtered.forward.model.transition
    updates, rows = filtered.updates, len(filtered.updates)
    means = filtered.filtered.copy()
    number = backward.last(int(updates[-1]))
    total = backward.covariances[number]
    runs = [Run(rows - 1, rows, int(updates[-1]), number, total)]
    stop = rows - 1
    for first in _starts(updates[:-1])[::-1].tolist():
        update = int(updates[first])
        gain = backward.gain(update)
        part = means[first : stop + 1]
        part[:-1] -= filtered.filtered[first:stop] @ (gain @ transition).T
        recur(gain, part[::-1])
        number, total = backward.run(update, number, stop - first)
        runs.append(Run(first, stop, update, number, total))
        stop = first
    return Smoothed(means, tuple(runs[::-1]), backward)


def _starts(updates: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where runs of the same update begin."""
    if not len(updates):
        return np.empty(0, np.int64)
    return np.concatenate([[0], np.flatnonzero(np.diff(updates)) + 1])
