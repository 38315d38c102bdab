"""What hidden states emit: symbols, or vectors of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Categorical:
    """One symbol per step.

    Attributes:
        probability: float64 `[states, symbols]`; each row sums to 1.
    """

    probability: Array

    def log_density(self, symbols: npt.NDArray[np.integer]) -> Array:
        """Log probability of each symbol in each state.

        Args:
            symbols: int `[steps]`.

        Returns:
            float64 `[steps, states]`.
        """
        with np.errstate(divide="ignore"):
            table: Array = np.log(self.probability[:, symbols].T)
        return table


@dataclass(frozen=True)
class DiagonalGaussian:
    """A vector per step, its numbers independent given the state.

    Attributes:
        mean: float64 `[states, numbers]`.
        variance: float64 `[states, numbers]`, above 0.
    """

    mean: Array
    variance: Array

    def log_density(self, values: npt.NDArray[np.floating]) -> Array:
        """Log density of each vector in each state.

        Args:
            values: `[steps, numbers]`.

        Returns:
            float64 `[steps, states]`.
        """
        apart = np.asarray(values, np.float64)[:, None, :] - self.mean
        terms = np.square(apart) / self.variance + np.log(2 * np.pi * self.variance)
        density: Array = -0.5 * terms.sum(axis=-1)
        return density


Emission = Categorical | DiagonalGaussian
