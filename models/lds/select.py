"""A whole fit: first systems of several sizes, the best by BIC, then expectation maximisation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from models.lds.em import FLOOR, fit_steady, lifted, steady
from models.lds.kalman import kalman_filter
from models.lds.pieces import Piece
from models.lds.seasonal import Oscillators, find_oscillators
from models.lds.subspace import identify
from models.lds.system import Lds

OSCILLATORS = (0, 4, 8, 16, 24, 32)
OTHERS = (1, 2, 4, 8)
PERSISTENCES = (0.999, 0.9999, 0.99999)
ROWS_PER_STATE = 10
"""Rows in the longest piece for each state: below, a system would learn the series by heart."""
PAST = 48
"""Most steps of the past, and of the future, that states beside the oscillators are found from."""
WIDTH = 256
"""Most numbers in that past."""
TOLERANCE = 1e-5
"""Gain in nats per row below which an iteration is the last."""


@dataclass(frozen=True)
class Choice:
    """A fitted system and how it was chosen.

    Attributes:
        model: The system.
        oscillators: Number of oscillators it started with.
        persistence: What they keep of themselves in a step.
        bic: Schwarz's criterion of each number of states that was tried, the lowest it reached.
        log_likelihoods: Of the start and after each iteration, nats.
        rows: Rows fitted to.
        pieces: What it was fitted to, with the means of their first states.
    """

    model: Lds
    oscillators: int
    persistence: float
    bic: dict[int, float]
    log_likelihoods: tuple[float, ...]
    rows: int
    pieces: tuple[Piece, ...]


def fit_lds(
    pieces: Sequence[Piece], *, states: int | None, iterations: int, lookback: int
) -> Choice:
    """Fits a system to some series of variance about 1.

    First systems join oscillators, for seasons, to states found by subspace identification in what
    these leave. The one with the least `-2 log L + parameters log rows` (G. Schwarz, Annals of
    Statistics 6, 1978) is where the iterations start. First systems take filled values as observed;
    the iterations take them as missing.

    Args:
        pieces: Stretches of at least one row, with a mean of about 0.
        states: Number of states; None: chosen.
        iterations: Most iterations of expectation maximisation.
        lookback: Steps of a window: it does not tell more states than it has values.
    """
    # BLAS threads gain nothing on matrices this small, and on a busy machine wait for each other.
    with threadpool_limits(1, "blas"):
        return _fit(pieces, states, iterations, lookback * pieces[0].values.shape[1])


def _fit(pieces: Sequence[Piece], states: int | None, iterations: int, most: int) -> Choice:
    rows = sum(len(piece.values) for piece in pieces)
    scores: dict[int, float] = {}
    best: tuple[float, Lds, tuple[Piece, ...], Oscillators, float] | None = None
    for waves, first in _sizes(pieces, states, most):
        tries = PERSISTENCES if len(waves.frequencies) else PERSISTENCES[:1]
        for persistence in tries:
            trial = steady(lifted(waves.joined(first, persistence), FLOOR))
            begun = waves.started(pieces, first.states)
            score = -2 * _log_likelihood(trial, begun) + trial.parameters * math.log(max(rows, 2))
            scores[trial.states] = min(score, scores.get(trial.states, math.inf))
            if best is None or score < best[0]:
                best = score, trial, begun, waves, persistence
    assert best is not None
    _, model, begun, waves, persistence = best
    fitted = fit_steady(model, begun, iterations, TOLERANCE)
    return Choice(
        model=fitted.model,
        oscillators=len(waves.frequencies),
        persistence=persistence,
        bic=dict(sorted(scores.items())),
        log_likelihoods=fitted.log_likelihoods,
        rows=rows,
        pieces=fitted.pieces,
    )


def _sizes(
    pieces: Sequence[Piece], states: int | None, most: int
) -> Iterator[tuple[Oscillators, Lds]]:
    longest = max(len(piece.values) for piece in pieces)
    columns = pieces[0].values.shape[1]
    limit = states or max(1, min(most, longest // ROWS_PER_STATE))
    others = OTHERS if states is None else tuple(n for n in range(1, 10) if n <= states)
    if states is None:
        waves = [count for count in OSCILLATORS if 2 * count < limit]
    else:
        waves = sorted({(states - n) // 2 for n in others if (states - n) % 2 == 0})
    for count, found in find_oscillators(pieces, waves).items():
        past = max(1, min(PAST, WIDTH // columns, longest // 4))
        wanted = [n for n in others if 2 * count + n <= limit and states in (None, 2 * count + n)]
        subspace = identify(found.rest, past, past, max(wanted, default=1)) if wanted else None
        for n in wanted:
            if subspace is not None and n <= len(subspace.basis):
                yield found, subspace.system(n)
            elif n == min(wanted):
                yield found, plain(n, columns)


def plain(states: int, columns: int) -> Lds:
    """A first system for series too short to learn one from: independent, slowly fading states."""
    return Lds(
        transition=0.9 * np.eye(states),
        observation=np.eye(columns, states),
        offset=np.zeros(columns),
        state_noise=0.19 * np.eye(states),
        observation_noise=0.1 * np.eye(columns),
        mean=np.zeros(states),
        covariance=np.eye(states),
    )


def _log_likelihood(model: Lds, pieces: Sequence[Piece]) -> float:
    total, forward = 0.0, None
    for piece in pieces:
        seen = np.ones(piece.seen.shape, np.bool_)
        found = kalman_filter(model, piece.values, seen, forward, piece.first)
        forward = found.forward
        total += found.log_likelihood
    return total
