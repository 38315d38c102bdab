"""`Lds`: the matrices of a linear dynamical system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_discrete_are

Array = npt.NDArray[np.float64]
RADIUS = 1 - 1e-6
"""Largest modulus of an eigenvalue for which a stationary covariance is computed as it is."""


@dataclass(frozen=True)
class Lds:
    """A linear dynamical system with Gaussian noise, of `n` states and `p` observed columns.

    `x_1 ~ N(mean, covariance)`, `x_(t+1) = transition x_t + w`, `w ~ N(0, state_noise)`, and
    `y_t = observation x_t + offset + v`, `v ~ N(0, observation_noise)`. All float64.

    Attributes:
        transition: A, `[n, n]`.
        observation: C, `[p, n]`.
        offset: d, `[p]`.
        state_noise: Q, `[n, n]`, symmetric, not negative.
        observation_noise: R, `[p, p]`, symmetric, positive.
        mean: Of the first state, `[n]`.
        covariance: Of the first state, `[n, n]`, symmetric, not negative.
    """

    transition: Array
    observation: Array
    offset: Array
    state_noise: Array
    observation_noise: Array
    mean: Array
    covariance: Array

    @property
    def states(self) -> int:
        """Number of states n."""
        return len(self.transition)

    @property
    def columns(self) -> int:
        """Number of observed columns p."""
        return len(self.observation)

    @property
    def radius(self) -> float:
        """Largest modulus of an eigenvalue of the transition: above 1, states explode."""
        return float(np.abs(np.linalg.eigvals(self.transition)).max())

    @property
    def parameters(self) -> int:
        """Numbers that tell one such system's forecasts from another's: `2np + p + p(p + 1) / 2`.

        Fewer than the matrices hold, for any change of basis of the states gives the same
        forecasts (E. J. Hannan and M. Deistler, The Statistical Theory of Linear Systems, 1988).
        """
        n, p = self.states, self.columns
        return 2 * n * p + p + p * (p + 1) // 2


def stationary_covariance(transition: Array, noise: Array) -> Array:
    """The covariance P of the states long after the start: `P = A P A' + Q`, by doubling.

    A system on the edge of stability or beyond has none: its transition is shrunk to a largest
    eigenvalue of modulus `RADIUS`, which gives slow states a wide, nearly diffuse distribution.

    Args:
        transition: A, float64 `[n, n]`.
        noise: Q, float64 `[n, n]`, symmetric, not negative.

    Returns:
        float64 `[n, n]`, symmetric, not negative.
    """
    radius = float(np.abs(np.linalg.eigvals(transition)).max())
    power = transition * min(1.0, RADIUS / radius) if radius > 0 else transition
    total = noise
    # 2^30 steps: a matrix with large entries off its diagonal takes long to show its radius.
    for _ in range(30):
        more = power @ total @ power.T
        total = symmetric(total + more)
        if np.abs(more).max() <= 1e-15 * np.abs(total).max():
            break
        power = power @ power
    return total


def steady_covariance(model: Lds) -> Array:
    """The covariance of the predicted states that a filter of rows without holes ends with.

    The solution of the algebraic Riccati equation; where rounding leaves none to be found, the
    stationary covariance, from which the filter gets there by itself.

    Returns:
        float64 `[n, n]`, symmetric, not negative.
    """
    stationary = stationary_covariance(model.transition, model.state_noise)
    try:
        found = symmetric(
            solve_discrete_are(
                model.transition.T,
                model.observation.T,
                model.state_noise,
                model.observation_noise,
            )
        )
    except (np.linalg.LinAlgError, ValueError):
        return stationary
    values = np.linalg.eigvalsh(found)
    return found if np.isfinite(values).all() and values[0] >= 0 else stationary


def symmetric(matrix: Array) -> Array:
    """The symmetric part of `matrix`: rounding must not make a covariance lopsided."""
    half: Array = (matrix + matrix.T) / 2
    return half
