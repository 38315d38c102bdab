"""The stepper of cores that look at one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from models.sequences.core import State, Tensor

STEPS = "state_steps"
"""A signature has to carry some state; this one counts steps and decides nothing."""


class StatelessStepper:
    """Reads each step for itself.

    Args:
        logits: From numbers float32 `[batch, numbers]` and, by column, ids int32 `[batch]` to
            float32 `[batch, classes]`.
    """

    def __init__(self, logits: Callable[[Tensor, tuple[Tensor, ...]], Tensor]) -> None:
        self._logits = logits

    @property
    def state(self) -> Mapping[str, tuple[int, ...]]:
        """The number of steps read."""
        return {STEPS: ()}

    def init(self, rows: Tensor) -> State:
        """Before the first step."""
        return {STEPS: tf.zeros([rows])}

    def step(
        self, numbers: Tensor, tokens: tuple[Tensor, ...], state: State
    ) -> tuple[Tensor, State]:
        """Logits of this step."""
        return self._logits(numbers, tokens), {STEPS: state[STEPS] + 1.0}
