"""`LstmStep`: a step of an LSTM."""

from __future__ import annotations

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import SIGMOID, Nonlinearity
from models.cells.fused.step import StepBack


class LstmStep:
    """Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    Keras' gates are input, forget, candidate, output; the three sigmoids are one group here.
    """

    groups: tuple[tuple[int, ...], ...] = ((0, 1, 3), (2,))
    own_bias: tuple[bool, ...] | None = None

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of candidate and output."""
        self._activation = activation

    def forward(
        self, given: Tensors, product: Tensors, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See `Step`."""
        gates = tf.sigmoid(given[0] + product[0])
        candidate = self._activation.apply(given[1] + product[1])
        i, f, o = tf.split(gates, 3, axis=-1)
        cell = f * states[1] + i * candidate
        squashed = self._activation.apply(cell)
        return [o * squashed, cell], [gates, i, f, o, candidate, squashed]

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del after
        gates, i, f, o, candidate, squashed = saved
        by_output, by_cell = gradients
        by_cell = by_cell + self._activation.back(squashed, by_output * o)
        by_gates = tf.concat(
            [by_cell * candidate, by_cell * before[1], by_output * squashed], axis=-1
        )
        total = [SIGMOID.back(gates, by_gates), self._activation.back(candidate, by_cell * i)]
        return StepBack(total, total, [None, by_cell * f])
