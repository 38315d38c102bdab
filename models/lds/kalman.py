"""The Kalman filter (R. E. Kalman 1960), with any values missing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.lds.covariances import Forward, Update
from models.lds.system import Array, Lds


@dataclass(frozen=True)
class Filtered:
    """A series as the filter saw it.

    Attributes:
        predicted: Means of the states given all rows before, float64 `[rows, n]`.
        filtered: Means of the states given all rows up to this, float64 `[rows, n]`.
        updates: int64 `[rows]`: the row's update, an index into `forward.updates`.
        log_likelihoods: float64 `[rows]`: log density of the row given those before, nats.
        forward: The covariances.
    """

    predicted: Array
    filtered: Array
    updates: npt.NDArray[np.int64]
    log_likelihoods: Array
    forward: Forward

    @property
    def log_likelihood(self) -> float:
        """Of all rows, nats."""
        return float(self.log_likelihoods.sum())

    @property
    def filtered_covariances(self) -> Array:
        """float64 `[rows, n, n]`: large; for looking at short series."""
        return np.stack([self.forward.updates[u].filtered for u in self.updates])


def kalman_filter(
    model: Lds,
    values: Array,
    seen: npt.NDArray[np.bool_],
    forward: Forward | None = None,
    first: Array | None = None,
) -> Filtered:
    """Filters one series without a break.

    Args:
        model: The system.
        values: float64 `[rows, p]`; what is not `seen` is never looked at.
        seen: bool `[rows, p]`: what was observed.
        forward: Covariances of earlier series under the same model, to walk further.
        first: Mean of the first states, `[n]`, in place of the model's.

    Raises:
        numpy.linalg.LinAlgError: If the noise of the observations is singular and a prediction
            is certain.
    """
    forward = forward or Forward(model)
    rows = len(values)
    result = Filtered(
        predicted=np.empty((rows, model.states)),
        filtered=np.empty((rows, model.states)),
        updates=np.empty(rows, np.int64),
        log_likelihoods=np.empty(rows),
        forward=forward,
    )
    stops = _stops(np.logical_and.reduce(seen, axis=1))
    node, mean, row = 0, model.mean if first is None else first, 0
    while row < rows:
        update = forward.step(node, seen[row])
        stop = int(stops[row]) if update.still else row + 1
        mean = _advance(model, update, result, values, row, stop, mean)
        node, row = update.following, stop
    return result


def _advance(
    model: Lds, update: Update, into: Filtered, values: Array, row: int, stop: int, mean: Array
) -> Array:
    """Rows `row` to `stop`, all with the same update; returns the prediction of the next."""
    matrix = model.observation[update.observed]
    centred = values[row:stop, update.observed] - model.offset[update.observed]
    rest = np.eye(model.states) - update.gain @ matrix
    filtered, predicted = into.filtered[row:stop], into.predicted[row:stop]
    np.matmul(centred, update.gain.T, out=filtered)
    filtered[0] += rest @ mean
    if stop - row > 1:
        recur(rest @ model.transition, filtered)
        np.matmul(filtered[:-1], model.transition.T, out=predicted[1:])
    predicted[0] = mean
    errors = (centred - predicted @ matrix.T) @ update.whiten.T
    into.log_likelihoods[row:stop] = update.log_constant - 0.5 * np.square(errors).sum(axis=1)
    into.updates[row:stop] = update.number
    ahead: Array = model.transition @ filtered[-1]
    return ahead


def recur(matrix: Array, values: Array) -> None:
    """`values[i] += matrix @ values[i - 1]` for every row after the first, in order, in place."""
    product = np.empty(values.shape[1])
    for before, here in itertools.pairwise(values):
        np.dot(matrix, before, out=product)
        here += product


def _stops(complete: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where the run of complete rows ends that each row is in; the next row for all others."""
    rows = np.arange(len(complete))
    last = np.where(complete, len(complete), rows)
    ends = np.minimum.accumulate(last[::-1])[::-1]
    return np.where(complete, ends, rows + 1)
