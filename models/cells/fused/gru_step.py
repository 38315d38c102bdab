"""`GruStep`: a step of a GRU that resets after the product."""

from __future__ import annotations

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors
from models.cells.fused.nonlinearity import SIGMOID, Nonlinearity
from models.cells.fused.step import StepBack


class GruStep:
    """Cho et al. (2014), in the form of cuDNN: the reset gate acts on the product of the output.

    Gates are update, reset, candidate, as in Keras.
    """

    two_biases = True

    def __init__(self, activation: Nonlinearity) -> None:
        """`activation` of the candidate."""
        self._activation = activation

    def arranged(self, gates: Tensor) -> Tensor:
        """See `Step`."""
        return gates

    def restored(self, gates: Tensor) -> Tensor:
        """See `Step`."""
        return gates

    def forward(self, given: Tensor, product: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        """See `Step`."""
        before = states[0]
        units = before.shape[-1]
        gates = tf.sigmoid(given[:, : 2 * units] + product[:, : 2 * units])
        z, r = tf.split(gates, 2, axis=-1)
        own = product[:, 2 * units :]
        candidate = self._activation.apply(given[:, 2 * units :] + r * own)
        return [candidate + z * (before - candidate)], [gates, own, candidate]

    def backward(
        self, saved: Tensors, before: Tensors, after: Tensors, gradients: Tensors
    ) -> StepBack:
        """See `Step`."""
        del after
        gates, own, candidate = saved
        by_output = gradients[0]
        z, r = tf.split(gates, 2, axis=-1)
        kept = by_output * z
        by_sum = self._activation.back(candidate, by_output - kept)
        by_gates = SIGMOID.back(
            gates, tf.concat([by_output * (before[0] - candidate), by_sum * own], axis=-1)
        )
        return StepBack(
            tf.concat([by_gates, by_sum], axis=-1),
            tf.concat([by_gates, by_sum * r], axis=-1),
            [kept],
        )
