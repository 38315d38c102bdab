"""`Stepped`: a layer as its steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from models.cells.fused.kernel import Done, Gradients, Tensor, Tensors
from models.cells.fused.step import Step
from models.cells.fused.steps import Before, Steps


@dataclass(frozen=True)
class Trace:
    """What a forward pass leaves, all [steps, batch, ...].

    Attributes:
        inputs: The inputs.
        first: The states before the first step, [batch, units].
        after: The states after each step.
        saved: What the steps saved.
    """

    inputs: Tensor
    first: list[Tensor]
    after: list[Tensor]
    saved: list[Tensor]


class Stepped:
    """The product of all inputs with the kernel is one, before the steps; so are those by which
    the gradients by inputs and weights are found, after the last step back. What is left of a step
    is a product of [batch, units] with [units, gates * units], and what gates take.

    Args:
        step: The arithmetic of a step.
        steps: How steps follow each other.
        every: See `Kernel`.
    """

    def __init__(self, step: Step, steps: Steps, every: Sequence[bool]) -> None:
        self._step = step
        self._steps = steps
        self.every = every

    def forward(self, inputs: Tensor, states: Tensors, weights: Tensors) -> Done:
        """See `Kernel`."""
        kernel, recurrent, bias = weights
        inputs = tf.transpose(inputs, [1, 0, 2])
        shared = [recurrent]
        if self._step.two_biases:
            bias, own = tf.unstack(bias)
            shared.append(own)
        given = _product(inputs, kernel) + bias
        last, left = self._steps(self._on, shared, [given], states, backwards=False)
        after, saved = left[: len(states)], left[len(states) :]
        outputs = [
            tf.transpose(state, [1, 0, 2]) if wanted else end
            for state, end, wanted in zip(after, last, self.every, strict=True)
        ]
        return Done(outputs, Trace(inputs, list(states), after, saved))

    def backward(self, saved: Trace, weights: Tensors, gradients: Tensors) -> Gradients:
        """See `Kernel`."""
        kernel, recurrent, _ = weights
        before = [Before(*pair) for pair in zip(saved.first, saved.after, strict=True)]
        each, end = [], []
        for gradient, wanted in zip(gradients, self.every, strict=True):
            if wanted:
                each.append(tf.transpose(gradient, [1, 0, 2]))
            end.append(tf.zeros_like(gradient[:, 0]) if wanted else gradient)
        first, left = self._steps(
            self._back,
            [tf.transpose(recurrent)],
            [*saved.after, *before, *saved.saved, *each],
            end,
            backwards=True,
        )
        given, product = left[0], left[-1]
        # A column of ones sums the rows of the other factor, much faster than a sum does.
        ones = tf.ones_like(saved.inputs[:, :, :1])
        by_kernel = _weights(tf.concat([saved.inputs, ones], axis=-1), given)
        bias = by_kernel[-1]
        if self._step.two_biases:
            bias = tf.stack([bias, tf.reduce_sum(product, axis=[0, 1])])
        output, start = saved.after[0], saved.first[0]
        # Slices of whole steps are no copies.
        by_recurrent = _weights(output[:-1], product[1:])
        by_recurrent += tf.matmul(start, product[0], transpose_a=True)
        return Gradients(
            tf.transpose(_product(given, tf.transpose(kernel)), [1, 0, 2]),
            first,
            [by_kernel[:-1], by_recurrent, bias],
        )

    def _on(self, shared: Tensors, read: Tensors, states: Tensors) -> tuple[Tensors, Tensors]:
        product = tf.matmul(states[0], shared[0])
        if self._step.two_biases:
            product += shared[1]
        after, saved = self._step.forward(read[0], product, states)
        return after, [*after, *saved]

    def _back(self, shared: Tensors, read: Tensors, states: Tensors) -> tuple[Tensors, Tensors]:
        count = len(self.every)
        rest = len(read) - sum(self.every)
        found = iter(read[rest:])
        states = [
            state + next(found) if wanted else state
            for state, wanted in zip(states, self.every, strict=True)
        ]
        after, before = read[:count], read[count : 2 * count]
        back = self._step.backward(read[2 * count : rest], before, after, states)
        output = tf.matmul(back.product, shared[0])
        if back.states[0] is not None:
            output += back.states[0]
        left = [back.given, back.product] if self._step.two_biases else [back.given]
        return [output, *back.states[1:]], left


def _product(steps: Tensor, matrix: Tensor) -> Tensor:
    """[steps, batch, a] times [a, b], as one product."""
    flat = tf.matmul(_flat(steps), matrix)
    count, rows = steps.shape[:2]
    if count is None:
        count = tf.shape(steps)[0]
    return tf.reshape(flat, [count, -1 if rows is None else rows, matrix.shape[-1]])


def _weights(inputs: Tensor, gates: Tensor) -> Tensor:
    return tf.matmul(_flat(inputs), _flat(gates), transpose_a=True)


def _flat(steps: Tensor) -> Tensor:
    return tf.reshape(steps, [-1, steps.shape[-1]])
