"""`LstmStep`: a step of an LSTM."""

from __future__ import annotations

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import SIGMOID, Nonlinearity
from models.cells.fused.step import StepBack


class LstmStep:
    """Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    Keras' gates are input, forget, candidate, output; here the candidate comes last, so that the
    three sigmoids are one operation.
    """

    two_biases = False

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of candidate and output."""
        self._activation = activation

    def arranged(self, gates: Tensor) -> Tensor:
        """See `Step`."""
        i, f, c, o = tf.split(gates, 4, axis=-1)
        return tf.concat([i, f, o, c], axis=-1)

    def restored(self, gates: Tensor) -> Tensor:
        """See `Step`."""
        i, f, o, c = tf.split(gates, 4, axis=-1)
        return tf.concat([i, f, c, o], axis=-1)

    def forward(self, given: Tensor, product: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        """See `Step`."""
        total = given + product
        units = states[1].shape[-1]
        gates = tf.sigmoid(total[:, : 3 * units])
        candidate = self._activation.apply(total[:, 3 * units :])
        i, f, o = tf.split(gates, 3, axis=-1)
        cell = f * states[1] + i * candidate
        squashed = self._activation.apply(cell)
        return [o * squashed, cell], [gates, candidate, squashed]

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del after
        gates, candidate, squashed = saved
        by_output, by_cell = gradients
        i, f, o = tf.split(gates, 3, axis=-1)
        by_cell = by_cell + self._activation.back(squashed, by_output * o)
        by_gates = tf.concat(
            [by_cell * candidate, by_cell * before[1], by_output * squashed], axis=-1
        )
        total = tf.concat(
            [SIGMOID.back(gates, by_gates), self._activation.back(candidate, by_cell * i)], axis=-1
        )
        return StepBack(total, total, [None, by_cell * f])
