"""`GruStep`: a step of a GRU that resets after the product."""

from __future__ import annotations

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import SIGMOID, Nonlinearity
from models.cells.fused.step import StepBack


class GruStep:
    """Cho et al. (2014), in the form of cuDNN: the reset gate acts on the product of the output.

    Keras' gates are update, reset, candidate.
    """

    two_biases = True

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of the candidate."""
        self._activation = activation

    def forward(
        self, given: Tensor, product: Tensor, states: Tensors
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See `Step`."""
        units = states[0].shape[-1]
        sizes = [2 * units, units]
        by_gates, by_candidate = tf.split(given, sizes, axis=-1)
        own_gates, own = tf.split(product, sizes, axis=-1)
        z, r = tf.split(SIGMOID.apply(by_gates + own_gates), 2, axis=-1)
        candidate = self._activation.apply(by_candidate + r * own)
        after = candidate + z * (states[0] - candidate)
        return [after], [z, r, own, candidate]

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del after
        z, r, own, candidate = saved
        by_output = gradients[0]
        kept = by_output * z
        by_sum = self._activation.back(candidate, by_output - kept)
        by_z = SIGMOID.back(z, by_output * (before[0] - candidate))
        by_r = SIGMOID.back(r, by_sum * own)
        return StepBack(
            tf.concat([by_z, by_r, by_sum], axis=-1),
            tf.concat([by_z, by_r, by_sum * r], axis=-1),
            [kept],
        )
