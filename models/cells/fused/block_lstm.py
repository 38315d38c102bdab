"""LSTMs by TensorFlow's BlockLSTMV2, one operation for all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from models.cells.fused.kernel import Done, Gradients, Tensor, Tensors
from models.cells.fused.lstm_step import LstmStep
from models.cells.fused.nonlinearity import TANH
from models.cells.fused.stepped import Stepped, Trace
from models.cells.fused.steps import Steps


class BlockLstm:
    """Gates in Keras' order (input, forget, candidate, output), sigmoid and tanh, with a bias.

    TensorFlow's registered gradient of BlockLSTMV2 calls the gradient kernel of the first version,
    whose gates stand in another order: wrong numbers without an error. Here the backward pass calls
    BlockLSTMGradV2. float32 and float16 only; an ordinary operation, so that a SavedModel with it
    needs no code of ours.

    Args:
        every: See `Kernel`.
    """

    def __init__(self, every: Sequence[bool]) -> None:
        self.every = every

    def forward(self, inputs: Tensor, states: Tensors, weights: Tensors) -> Done:
        """See `Kernel`."""
        given = _arguments(tf.transpose(inputs, [1, 0, 2]), states, weights)
        found = tf.raw_ops.BlockLSTMV2(**given)
        return Done(_wanted((found.h, found.cs), self.every), (given, found))

    def backward(self, saved: Any, weights: Tensors, gradients: Tensors) -> Gradients:
        """See `Kernel`."""
        given, found = saved
        # The operation wants a gradient for every step.
        before = [[tf.shape(found.h)[0] - 1, 0], [0, 0], [0, 0]]
        by_step = [
            tf.transpose(gradient, [1, 0, 2]) if wanted else tf.pad(gradient[None], before)
            for gradient, wanted in zip(gradients, self.every, strict=True)
        ]
        arguments = {k: v for k, v in given.items() if k != "cell_clip"}
        back = tf.raw_ops.BlockLSTMGradV2(
            **arguments, **found._asdict(), h_grad=by_step[0], cs_grad=by_step[1]
        )
        units = weights[1].shape[0]
        return Gradients(
            tf.transpose(back.x_grad, [1, 0, 2]),
            [back.h_prev_grad, back.cs_prev_grad],
            [back.w_grad[:-units], back.w_grad[-units:], back.b_grad],
        )


class BlockThenSteps(Stepped):
    """An LSTM that reads by BlockLSTMV2 and goes back by steps: BlockLSTMGradV2 multiplies for the
    weights at every step, where one product over all steps would do.

    Args:
        steps: How steps back follow each other.
        every: See `Kernel`.
    """

    def __init__(self, steps: Steps, every: Sequence[bool]) -> None:
        super().__init__(LstmStep(TANH), steps, every)

    def forward(self, inputs: Tensor, states: Tensors, weights: Tensors) -> Done:
        """See `Kernel`."""
        by_step = tf.transpose(inputs, [1, 0, 2])
        found = tf.raw_ops.BlockLSTMV2(**_arguments(by_step, states, weights))
        saved = [found.i, found.f, found.ci, found.o, found.co]
        return Done(
            _wanted((found.h, found.cs), self.every),
            Trace(by_step, list(states), [found.h, found.cs], saved),
        )


def _wanted(states: Tensors, every: Sequence[bool]) -> list[Tensor]:
    return [
        tf.transpose(state, [1, 0, 2]) if wanted else state[-1]
        for state, wanted in zip(states, every, strict=True)
    ]


def _arguments(steps: Tensor, states: Tensors, weights: Tensors) -> dict[str, Any]:
    kernel, recurrent, bias = weights
    none = tf.zeros([recurrent.shape[0]], steps.dtype)  # peepholes, which are not used
    return {
        "seq_len_max": tf.cast(tf.shape(steps)[0], tf.int64),
        "x": steps,
        "h_prev": states[0],
        "cs_prev": states[1],
        "w": tf.concat([kernel, recurrent], axis=0),
        "wci": none,
        "wcf": none,
        "wco": none,
        "b": bias,
        "cell_clip": 0.0,
        "use_peephole": False,
    }
