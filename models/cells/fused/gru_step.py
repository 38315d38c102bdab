"""`GruStep`: a step of a GRU that resets after the product."""

from __future__ import annotations

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import SIGMOID, Nonlinearity
from models.cells.fused.step import StepBack


class GruStep:
    """Cho et al. (2014), in the form of cuDNN: the reset gate acts on the product of the output.

    Keras' gates are update, reset, candidate; the two sigmoids are one group.
    """

    groups: tuple[tuple[int, ...], ...] = ((0, 1), (2,))
    own_bias: tuple[bool, ...] | None = (False, True)

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of the candidate."""
        self._activation = activation

    def forward(
        self, given: Tensors, product: Tensors, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See `Step`."""
        gates = tf.sigmoid(given[0] + product[0])
        z, r = tf.split(gates, 2, axis=-1)
        candidate = self._activation.apply(given[1] + r * product[1])
        after = candidate + z * (states[0] - candidate)
        return [after], [gates, z, r, product[1], candidate]

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del after
        gates, z, r, own, candidate = saved
        by_output = gradients[0]
        kept = by_output * z
        by_sum = self._activation.back(candidate, by_output - kept)
        by_gates = SIGMOID.back(
            gates, tf.concat([by_output * (before[0] - candidate), by_sum * own], axis=-1)
        )
        return StepBack([by_gates, by_sum], [by_gates, by_sum * r], [kept])
