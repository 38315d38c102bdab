"""Oscillators: the frequencies of a series, found one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag, cho_factor, cho_solve

from models.lds.pieces import Piece
from models.lds.system import Array, Lds

FINER = 4
"""Frequencies looked at per cycle in the longest piece."""
LEAST_CYCLES = 1.5
"""In the longest piece: what is slower cannot be told from a changing level."""


@dataclass(frozen=True)
class Oscillators:
    """Waves of fixed frequency and what they leave of the series.

    Attributes:
        frequencies: Cycles per step, float64 `[k]`, in the order found: the strongest first.
        loadings: What each column has of the cosine and of the sine of each, `[k, p, 2]`.
        phases: Cosine and sine of each at the first row of each piece, `[pieces, k, 2]`.
        rest: The pieces without them.
    """

    frequencies: Array
    loadings: Array
    phases: Array
    rest: tuple[Piece, ...]

    def joined(self, model: Lds, persistence: float) -> Lds:
        """The system that adds the oscillators to `model`.

        Each is a rotation of two states that keeps `persistence` of itself in a step and is driven
        by noise that keeps its strength: a season that may change (A. C. Harvey, Forecasting,
        Structural Time Series Models and the Kalman Filter, 1989, section 2.3).
        """
        if not len(self.frequencies):
            return model
        angles = 2 * np.pi * self.frequencies
        turns = [
            persistence * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            for a in angles
        ]
        number = 2 * len(angles)
        noise = (1 - persistence**2) / 2 * np.eye(number)
        return Lds(
            transition=block_diag(model.transition, *turns),
            observation=np.concatenate([model.observation, *self.loadings], axis=1),
            offset=model.offset,
            state_noise=block_diag(model.state_noise, noise),
            observation_noise=model.observation_noise,
            mean=np.concatenate([model.mean, np.zeros(number)]),
            covariance=block_diag(model.covariance, 0.5 * np.eye(number)),
        )

    def started(self, pieces: Sequence[Piece], others: int) -> tuple[Piece, ...]:
        """`pieces` with the phases as means of their first states, after `others` of mean 0."""
        return tuple(
            replace(piece, first=np.concatenate([np.zeros(others), phase.reshape(-1)]))
            for piece, phase in zip(pieces, self.phases, strict=True)
        )


def find_oscillators(pieces: Sequence[Piece], counts: Sequence[int]) -> dict[int, Oscillators]:
    """The strongest frequencies by matching pursuit on the periodogram.

    The greatest value of the periodogram of what is left (summed over pieces and columns) gives the
    next frequency; then all found so far are fitted anew to each piece by least squares (S. G.
    Mallat and Z. Zhang, IEEE Transactions on Signal Processing 41, 1993, in its orthogonal form).
    Seasons of any length are found so, with those of their harmonics that matter.

    Args:
        pieces: Stretches, with a mean of about 0.
        counts: The numbers of oscillators that are wanted, ascending.

    Returns:
        By number wanted; fewer numbers where the series are too short to tell more apart.
    """
    longest = max(len(piece.values) for piece in pieces)
    points = 1 << int(np.ceil(np.log2(max(FINER * longest, 8))))
    free = np.arange(points // 2 + 1) >= LEAST_CYCLES * points / longest
    rest = tuple(pieces)
    found: dict[int, Oscillators] = {}
    frequencies: list[float] = []
    if 0 in counts:
        found[0] = _fitted(pieces, np.zeros(0))
    for count in range(1, max(counts, default=0) + 1):
        power = np.where(free, _periodogram(rest, points), -1.0)
        peak = int(np.argmax(power))
        if power[peak] <= 0:
            break
        frequencies.append(peak / points)
        width = int(np.ceil(points / longest))
        free[max(0, peak - width + 1) : peak + width] = False
        fit = _fitted(pieces, np.asarray(frequencies))
        rest = fit.rest
        if count in counts:
            found[count] = fit
    return found


def _periodogram(pieces: Sequence[Piece], points: int) -> Array:
    total = np.zeros(points // 2 + 1)
    for piece in pieces:
        rows = len(piece.values)
        centred = piece.values - piece.values.mean(axis=0)
        waves = np.fft.rfft(centred * np.hanning(rows + 2)[1:-1, None], points, axis=0)
        total += np.square(np.abs(waves)).sum(axis=1) / rows
    return total


def _fitted(pieces: Sequence[Piece], frequencies: Array) -> Oscillators:
    number, columns = len(frequencies), pieces[0].values.shape[1]
    amplitudes, rest = [], []
    for piece in pieces:
        angles = 2 * np.pi * np.outer(np.arange(len(piece.values)), frequencies)
        waves = np.concatenate([np.cos(angles), np.sin(angles), np.ones((len(angles), 1))], axis=1)
        # One row's weight of "no wave at all" settles what a short piece cannot tell apart.
        gram = waves.T @ waves + np.eye(waves.shape[1])
        solution = cho_solve(cho_factor(gram), waves.T @ piece.values)
        amplitudes.append(solution[:number] - 1j * solution[number:-1])
        rest.append(replace(piece, values=piece.values - waves[:, :-1] @ solution[:-1]))
    every = np.asarray(amplitudes).reshape(len(pieces), number, columns)
    weights = np.asarray([len(piece.values) for piece in pieces], np.float64)
    loadings = np.zeros((number, columns, 2))
    phases = np.zeros((len(pieces), number, 2))
    for k in range(number):
        # Pieces may be out of step with each other: products with the conjugate do not mind.
        product = np.einsum("s,sp,sq->pq", weights / weights.sum(), every[:, k], every[:, k].conj())
        values, vectors = np.linalg.eigh(product)
        leading = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
        loadings[k, :, 0], loadings[k, :, 1] = leading.real, -leading.imag
        size = float(np.square(np.abs(leading)).sum())
        factor = every[:, k] @ leading.conj() / max(size, np.finfo(np.float64).tiny)
        phases[:, k, 0], phases[:, k, 1] = factor.real, factor.imag
    return Oscillators(frequencies, loadings, phases, tuple(rest))
