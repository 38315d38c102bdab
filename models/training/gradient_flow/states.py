"""`StateProbe`: a recurrent layer whose every state can be moved, and so differentiated by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from models.training.gradient_flow.flow import BACKWARD

Tensor = Any


@dataclass(frozen=True)
class Moves:
    """What was added to the states of one direction.

    Attributes:
        added: Zeros, float32 [batch, steps, sizes of the states], in the order of the input.
        mask: bool [batch, steps], true where there is a step, the padding last; None: everywhere.
        backwards: Whether the last step is read first.
    """

    added: Tensor
    mask: Tensor | None
    backwards: bool

    def by_lag(self, gradient: Tensor) -> Tensor:
        """Norms of a gradient by `added`, float32 [steps], the step read last first.

        Padding has no lag: lag 0 is the last step that each sequence has. It has no gradient.
        """
        if self.backwards:
            ordered = gradient
        elif self.mask is None:
            ordered = tf.reverse(gradient, axis=[1])
        else:
            lengths = tf.reduce_sum(tf.cast(self.mask, tf.int32), axis=1)
            ordered = tf.reverse_sequence(gradient, lengths, seq_axis=1)
        return tf.sqrt(tf.reduce_sum(tf.square(ordered), axis=[0, 2]))


class _MovedCell(keras.layers.Layer):
    """A cell that takes, beside the input of a step, what to add to the state it comes to."""

    def __init__(self, cell: Any) -> None:
        super().__init__(dtype="float32")
        self.cell = cell
        size = cell.state_size
        self.state_size = list(size) if isinstance(size, list | tuple) else [size]
        self.output_size = self.state_size[0]
        self.width = sum(self.state_size)

    @override
    def build(self, shape: Any) -> None:
        self.built = True  # the cell is, and it never sees what is added

    @override
    def call(self, joined: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        _, after = self.cell(joined[:, : -self.width], states, training=False)
        moves = tf.split(joined[:, -self.width :], self.state_size, axis=-1)
        moved = [state + move for state, move in zip(after, moves, strict=True)]
        return moved[0], moved  # of all cells in the registry the output is the first state


class StateProbe(keras.layers.Layer):
    """Computes what a recurrent layer computes without dropout, with a zero added to every state.

    The gradient of a loss by the zeros that were added at a step is the gradient by the state of
    that step, through all that the state has an effect on: the output and all later states. The
    loop over the steps is the one of Keras, so a long window costs no larger graph than a short
    one.

    A state is all that is carried to the next step: the output, and for an LSTM its cell, too, each
    moved by itself: what the cell does to the output of its own step is not counted twice.

    Args:
        layer: A built recurrent layer, or a bidirectional one that concatenates; its cells, and
            so their weights, are shared. Dropout must be off in it.
        kwargs: As those of `keras.layers.Layer`.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        ways = [layer]
        if isinstance(layer, keras.layers.Bidirectional):
            ways = [layer.forward_layer, layer.backward_layer]
        self.sequences = layer.return_sequences
        self.readers = [
            keras.layers.RNN(
                _MovedCell(way.cell),
                return_sequences=way.return_sequences,
                go_backwards=way.go_backwards,
                zero_output_for_mask=way.zero_output_for_mask,
                dtype="float32",
            )
            for way in ways
        ]
        self.supports_masking = True
        self.tape: tf.GradientTape | None = None
        self._moves: list[Moves] = []

    @override
    def call(self, steps: Tensor, mask: Tensor | None = None) -> Tensor:
        batch, length = tf.unstack(tf.shape(steps)[:2])
        length = length if steps.shape[1] is None else steps.shape[1]
        moves, outputs = [], []
        for reader in self.readers:
            move = tf.zeros([batch, length, reader.cell.width], tf.float32)
            if self.tape is not None:
                self.tape.watch(move)
            output = reader(tf.concat([steps, move], axis=-1), mask=mask)
            if self.sequences and reader.go_backwards:
                output = tf.reverse(output, axis=[1])
            outputs.append(output)
            moves.append(Moves(move, mask, bool(reader.go_backwards)))
        self._moves = moves if self.tape is not None else []
        return tf.concat(outputs, axis=-1)

    @override
    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None) -> Tensor | None:
        return previous_mask if self.sequences else None

    @property
    def names(self) -> list[str]:
        """Of the directions: the layer's own, and with `backward` after it."""
        return [self.name, f"{self.name} {BACKWARD}"][: len(self.readers)]

    def taken(self) -> list[Moves]:
        """What was added in the call under `tape`, by direction; forgets it and the tape."""
        found, self.tape, self._moves = self._moves, None, []
        return found
