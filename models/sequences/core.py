"""`SequenceCore`: what a network and a baseline have in common, a padded batch in, logits out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import tensorflow as tf

Tensor = Any
State = dict[str, Tensor]


class SequenceCore(tf.Module):
    """A model of sequences in TensorFlow that can be put in a SavedModel.

    A core is a `tf.Module` so that its variables, constants and tables are tracked: whatever it
    needs is an attribute of it, or a constant in its graph. The result for a row never depends on
    other rows of the batch, nor on what stands behind its `length`.
    """

    @abstractmethod
    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:
        """Logits; their softmax over the last axis are the probabilities of the classes.

        Args:
            numbers: float32 `[batch, time, numbers]`, natural units, in the order of
                `SequenceInputs.numbers`; 0 where padded. `numbers` may be 0.
            tokens: By column of `SequenceInputs.tokens`, in its order, int32 `[batch, time]`: ids,
                0 for padding, 1 for an unknown symbol, 2 and on for the vocabulary.
            length: int32 `[batch]`, from 1 to `time`: steps that count.

        Returns:
            float32 `[batch, classes]` for classify, else `[batch, time, classes]`, in the order of
            `SequenceStore.classes`. At padded steps: any finite values.
        """

    def ordered_variables(self) -> list[tf.Variable]:
        """Variables that an export keeps in this order, before all others, for a warm start."""
        return []

    def stepper(self) -> CoreStepper | str:
        """The same model read one step at a time, or why it cannot be read so."""
        return "this model reads whole sequences only"


class CoreStepper(Protocol):
    """A core read one step at a time, from the first step on.

    After the steps of a sequence, from `init` on, the logits of `step` are those that the core
    gives to the whole sequence: at every step for tag and next_step, after the last for classify.
    """

    @property
    def state(self) -> Mapping[str, tuple[int, ...]]:
        """By state tensor (`state_...`), float32, its shape without the batch axis."""

    def init(self, rows: Tensor) -> State:
        """The state before the first step.

        Args:
            rows: int32 scalar, the size of the batch.

        Returns:
            By state tensor, float32 `[rows, ...]`.
        """

    def step(
        self, numbers: Tensor, tokens: tuple[Tensor, ...], state: State
    ) -> tuple[Tensor, State]:
        """Logits after one more step, and the state after it.

        Args:
            numbers: float32 `[batch, numbers]`, natural units.
            tokens: By column of tokens, int32 `[batch]`: ids, see `SequenceCore`.
            state: From `init` or from the step before.

        Returns:
            float32 `[batch, classes]`; and the new state.
        """
