"""`Chain`: the hidden part of a hidden Markov model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A Markov chain over hidden states.

    Attributes:
        start: float64 `[states]`: probability of each state at the first step.
        transition: float64 `[states, states]`: from the row's state to the column's.
    """

    start: Array
    transition: Array

    def __post_init__(self) -> None:
        states = len(self.start)
        if self.transition.shape != (states, states):
            raise ValueError(
                f"{states} states need a [{states}, {states}] transition matrix, got "
                f"{self.transition.shape}"
            )
        for name, rows in (("start", self.start[None]), ("transition", self.transition)):
            if (rows < 0).any() or not np.allclose(rows.sum(axis=1), 1.0, atol=1e-6):
                raise ValueError(f"{name} holds no probabilities: {rows}")

    @property
    def states(self) -> int:
        """Number of hidden states."""
        return len(self.start)

    def padded(self, states: int) -> Chain:
        """The same chain with unreachable states added up to `states`."""
        start, transition = np.zeros(states), np.eye(states)
        start[: self.states] = self.start
        transition[: self.states] = 0.0
        transition[: self.states, : self.states] = self.transition
        return Chain(start, transition)


def smoothed(counts: npt.NDArray[Any], alpha: float | Array) -> Array:
    """Counts as probabilities along the last axis, after `alpha` is added to each."""
    raised = np.asarray(counts, np.float64) + alpha
    result: Array = raised / raised.sum(axis=-1, keepdims=True)
    return result
