"""`LstmStep`: a step of an LSTM."""

from __future__ import annotations

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import SIGMOID, Nonlinearity
from models.cells.fused.step import StepBack


class LstmStep:
    """Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    Keras' gates are input, forget, candidate, output.
    """

    two_biases = False

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of candidate and output."""
        self._activation = activation

    def forward(
        self, given: Tensor, product: Tensor, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See `Step`."""
        i, f, candidate, o = tf.split(given + product, 4, axis=-1)
        i, f, o = (SIGMOID.apply(gate) for gate in (i, f, o))
        candidate = self._activation.apply(candidate)
        cell = f * states[1] + i * candidate
        squashed = self._activation.apply(cell)
        return [o * squashed, cell], [i, f, candidate, o, squashed]

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del after
        i, f, candidate, o, squashed = saved
        by_output, by_cell = gradients
        by_cell = by_cell + self._activation.back(squashed, by_output * o)
        by_gates = tf.concat(
            [
                SIGMOID.back(i, by_cell * candidate),
                SIGMOID.back(f, by_cell * before[1]),
                self._activation.back(candidate, by_cell * i),
                SIGMOID.back(o, by_output * squashed),
            ],
            axis=-1,
        )
        return StepBack(by_gates, by_gates, [None, by_cell * f])
