"""`BlockLstm`: an LSTM by TensorFlow's BlockLSTMV2, one operation for all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from models.cells.fused.kernel import Done, Gradients, Tensor, Tensors


class BlockLstm:
    """Gates in Keras' order (input, forget, candidate, output), sigmoid and tanh, with a bias.

    TensorFlow's registered gradient of BlockLSTMV2 calls the gradient kernel of the first version,
    whose gates stand in another order: wrong numbers without an error. Here the backward pass calls
    BlockLSTMGradV2. float32 and float16 only; an ordinary operation, so that a SavedModel with it
    needs no code of ours.
    """

    def __init__(self, units: int) -> None:
        """`units` of the layer."""
        self._units = units

    def arranged(self, weights: Tensors) -> list[Tensor]:
        """See `Kernel`: the two kernels as one, and the bias."""
        kernel, recurrent, bias = weights
        return [tf.concat([kernel, recurrent], axis=0), bias]

    def restored(self, gradients: Tensors) -> list[Tensor]:
        """See `Kernel`."""
        joined, bias = gradients
        return [joined[: -self._units], joined[-self._units :], bias]

    def forward(
        self, inputs: Tensor, states: Tensors, weights: Tensors, every: Sequence[bool]
    ) -> Done:
        """See `Kernel`."""
        given = self._arguments(tf.transpose(inputs, [1, 0, 2]), states, weights)
        found = tf.raw_ops.BlockLSTMV2(**given)
        outputs = [
            tf.transpose(value, [1, 0, 2]) if wanted else value[-1]
            for value, wanted in zip((found.h, found.cs), every, strict=True)
        ]
        return Done(outputs, (given, found))

    def backward(
        self, saved: Any, weights: Tensors, gradients: Tensors, every: Sequence[bool]
    ) -> Gradients:
        """See `Kernel`."""
        del weights  # in `saved`
        given, found = saved
        # The operation wants a gradient for every step.
        before = [[tf.shape(found.h)[0] - 1, 0], [0, 0], [0, 0]]
        by_step = [
            tf.transpose(gradient, [1, 0, 2]) if wanted else tf.pad(gradient[None], before)
            for gradient, wanted in zip(gradients, every, strict=True)
        ]
        arguments = {k: v for k, v in given.items() if k != "cell_clip"}
        back = tf.raw_ops.BlockLSTMGradV2(
            **arguments, **found._asdict(), h_grad=by_step[0], cs_grad=by_step[1]
        )
        return Gradients(
            tf.transpose(back.x_grad, [1, 0, 2]),
            [back.h_prev_grad, back.cs_prev_grad],
            [back.w_grad, back.b_grad],
        )

    def _arguments(self, steps: Tensor, states: Tensors, weights: Tensors) -> dict[str, Any]:
        none = tf.zeros([self._units], steps.dtype)  # peepholes, which are not used
        return {
            "seq_len_max": tf.cast(tf.shape(steps)[0], tf.int64),
            "x": steps,
            "h_prev": states[0],
            "cs_prev": states[1],
            "w": weights[0],
            "wci": none,
            "wcf": none,
            "wco": none,
            "b": weights[1],
            "cell_clip": 0.0,
            "use_peephole": False,
        }
