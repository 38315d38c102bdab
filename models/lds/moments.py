"""The expectation step: moments of the states given the series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.lds.covariances import STANDS_STILL, Backward, Forward
from models.lds.kalman import kalman_filter
from models.lds.pieces import Piece
from models.lds.smoother import Run, Smoothed, smooth
from models.lds.system import Array, Lds

MEMORY = 1 << 27
"""Bytes of covariances kept from one piece to the next."""


@dataclass
class Moments:
    """Sums over all rows of expected products, under one model and given the observed values.

    `z` is a state with a one below it, so that the offset of the observations is a column more.

    Attributes:
        log_likelihood: Of the observed values, nats.
        firsts: Of each piece, the mean of its first states, `[n]`.
        first_square: Of the first states' squares, `[n, n]`.
        steps: Number of pairs of a state and its next.
        before: Squares of the states that have a next one, `[n, n]`.
        after: Squares of the states that have one before, `[n, n]`.
        crossed: A state times the one before, `[n, n]`.
        rows: Number of rows with any observed value.
        states: Squares of `z` at these rows, `[n + 1, n + 1]`.
        outputs: Squares of the observations there, `[p, p]`; of missing values as expected.
        mixed: Observations times `z` there, `[p, n + 1]`.
    """

    log_likelihood: float
    firsts: list[Array]
    first_square: Array
    steps: int
    before: Array
    after: Array
    crossed: Array
    rows: int
    states: Array
    outputs: Array
    mixed: Array

    @classmethod
    def none(cls, states: int, columns: int) -> Moments:
        """Sums over nothing."""
        square = (states, states)
        return cls(
            log_likelihood=0.0,
            firsts=[],
            first_square=np.zeros(square),
            steps=0,
            before=np.zeros(square),
            after=np.zeros(square),
            crossed=np.zeros(square),
            rows=0,
            states=np.zeros((states + 1, states + 1)),
            outputs=np.zeros((columns, columns)),
            mixed=np.zeros((columns, states + 1)),
        )


def moments(model: Lds, pieces: Iterable[Piece], rest: float = STANDS_STILL) -> Moments:
    """The expectation step over all pieces (R. H. Shumway and D. S. Stoffer 1982).

    Missing values of a row of which others were observed count with their expectation given the
    state and those others, and with the variance that is left: this keeps the step exact when
    the noise of the observations is correlated.

    Args:
        model: The system.
        pieces: Stretches of at least one row, independent of each other.
        rest: See `Forward`.
    """
    result = Moments.none(model.states, model.columns)
    forward = Forward(model, rest)
    backward = Backward(forward)
    for piece in pieces:
        if len(forward.updates) * 8 * 6 * model.states**2 > MEMORY:
            forward = Forward(model, rest)
            backward = Backward(forward)
        filtered = kalman_filter(model, piece.values, piece.seen, forward, piece.first)
        smoothed = smooth(filtered, backward)
        result.log_likelihood += filtered.log_likelihood
        _add_states(result, smoothed)
        _add_outputs(result, model, piece, smoothed)
    return result


def _add_states(into: Moments, smoothed: Smoothed) -> None:
    means, runs, backward = smoothed.means, smoothed.runs, smoothed.backward
    starts = [backward.covariances[run.number] for run in runs]
    whole = means.T @ means + sum(run.total for run in runs)
    first_square = np.outer(means[0], means[0]) + starts[0]
    into.firsts.append(means[0])
    into.first_square += first_square
    into.steps += len(means) - 1
    into.before += whole - np.outer(means[-1], means[-1]) - starts[-1]
    into.after += whole - first_square
    into.crossed += means[1:].T @ means[:-1]
    for run, start, following in zip(runs[:-1], starts[:-1], starts[1:], strict=True):
        into.crossed += (run.total - start + following) @ backward.gain(run.update).T


def _add_outputs(into: Moments, model: Lds, piece: Piece, smoothed: Smoothed) -> None:
    # Rows of a run have the same values missing.
    alike: dict[bytes, list[Run]] = {}
    for run in smoothed.runs:
        if piece.seen[run.first].any():
            alike.setdefault(piece.seen[run.first].tobytes(), []).append(run)
    for runs in alike.values():
        rows = np.concatenate([np.arange(run.first, run.stop) for run in runs])
        spread = np.sum([run.total for run in runs], axis=0)
        _add_rows(into, model, piece, smoothed.means[rows], spread, rows)


def _add_rows(
    into: Moments,
    model: Lds,
    piece: Piece,
    means: Array,
    spread: Array,
    rows: npt.NDArray[np.int64],
) -> None:
    """Adds rows that share a pattern: with `y = on_state x + rest + noise`."""
    n, seen = model.states, piece.seen[rows[0]]
    values = piece.values[rows]
    into.rows += len(rows)
    into.states[:n, :n] += means.T @ means + spread
    into.states[:n, n] += means.sum(axis=0)
    into.states[n, :n] += means.sum(axis=0)
    into.states[n, n] += len(rows)
    if not seen.all():
        there, away = np.flatnonzero(seen), np.flatnonzero(~seen)
        noise = model.observation_noise
        share = np.linalg.solve(noise[np.ix_(there, there)], noise[np.ix_(there, away)]).T
        on_state = np.zeros((model.columns, n))
        on_state[away] = model.observation[away] - share @ model.observation[there]
        values = values.copy()
        values[:, away] = (
            means @ on_state[away].T
            + model.offset[away]
            + (piece.values[np.ix_(rows, there)] - model.offset[there]) @ share.T
        )
        left = noise[np.ix_(away, away)] - share @ noise[np.ix_(there, away)]
        into.outputs += on_state @ spread @ on_state.T
        into.outputs[np.ix_(away, away)] += len(rows) * left
        into.mixed[:, :n] += on_state @ spread
    into.outputs += values.T @ values
    into.mixed[:, :n] += values.T @ means
    into.mixed[:, n] += values.sum(axis=0)
