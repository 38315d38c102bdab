"""`Stepped`: a layer as its steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from models.cells.fused.kernel import Done, Gradients, Tensor, Tensors
from models.cells.fused.step import Step
from models.cells.fused.steps import Steps


@dataclass(frozen=True)
class _Trace:
    """What a forward pass leaves, all [steps, batch, ...].

    Attributes:
        inputs: The inputs.
        before: The states before each step.
        after: The states after each step.
        saved: What the steps saved.
    """

    inputs: Tensor
    before: list[Tensor]
    after: list[Tensor]
    saved: list[Tensor]


class Stepped:
    """The product of all inputs with the kernel is one, before the steps; so are those by which
    the gradients by inputs and weights are found, after the last step back. What is left of a step
    is a product of [batch, units] with [units, gates] for each group of gates, and what gates take.
    """

    def __init__(self, step: Step, steps: Steps) -> None:
        """Takes the arithmetic of a step, and how steps follow each other."""
        self._step = step
        self._steps = steps

    def arranged(self, weights: Tensors) -> list[Tensor]:
        """See `Kernel`: kernels, recurrent kernels and biases by group."""
        return [part for weight in weights for part in self._by_group(weight)]

    def restored(self, gradients: Tensors) -> list[Tensor]:
        """See `Kernel`."""
        groups = self._step.groups
        gates = sum(len(group) for group in groups)
        kernels = []
        for first in range(0, len(gradients), len(groups)):
            by_gate: list[Any] = [None] * gates
            for group, found in zip(groups, gradients[first:], strict=False):
                parts = tf.split(found, len(group), axis=-1)
                for gate, part in zip(group, parts, strict=True):
                    by_gate[gate] = part
            kernels.append(tf.concat(by_gate, axis=-1))
        return kernels

    def forward(
        self, inputs: Tensor, states: Tensors, weights: Tensors, every: Sequence[bool]
    ) -> Done:
        """See `Kernel`."""
        kernels, recurrent, biases = self._parts(weights)
        inputs = tf.transpose(inputs, [1, 0, 2])
        own = self._step.own_bias
        given = []
        for k, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
            added = bias
            if own is not None:
                added = bias[0] if own[k] else bias[0] + bias[1]
            given.append(_product(inputs, kernel) + added)

        def body(given: Tensors, states: Tensors) -> tuple[Tensors, Tensors]:
            product = [tf.matmul(states[0], matrix) for matrix in recurrent]
            if own is not None:
                product = [
                    p + bias[1] if alone else p
                    for p, bias, alone in zip(product, biases, own, strict=True)
                ]
            after, saved = self._step.forward(given, product, states)
            return after, [*after, *saved]

        last, left = self._steps(body, given, states)
        after, saved = left[: len(states)], left[len(states) :]
        before = [
            tf.concat([first[None], state[:-1]], axis=0)
            for first, state in zip(states, after, strict=True)
        ]
        outputs = [
            tf.transpose(state, [1, 0, 2]) if wanted else end
            for state, end, wanted in zip(after, last, every, strict=True)
        ]
        return Done(outputs, _Trace(inputs, before, after, saved))

    def backward(
        self, saved: _Trace, weights: Tensors, gradients: Tensors, every: Sequence[bool]
    ) -> Gradients:
        """See `Kernel`."""
        kernels, recurrent, _ = self._parts(weights)
        turned = [tf.transpose(matrix) for matrix in recurrent]
        count, groups = len(saved.before), len(kernels)
        each = [
            tf.transpose(g, [1, 0, 2]) for g, wanted in zip(gradients, every, strict=True) if wanted
        ]
        end = [
            tf.zeros_like(gradient[:, 0]) if wanted else gradient
            for gradient, wanted in zip(gradients, every, strict=True)
        ]
        apart = self._step.own_bias is not None

        def body(read: Tensors, states: Tensors) -> tuple[Tensors, Tensors]:
            before, after = read[:count], read[count : 2 * count]
            kept = read[2 * count : 2 * count + len(saved.saved)]
            found = iter(read[2 * count + len(saved.saved) :])
            states = [
                state + next(found) if wanted else state
                for state, wanted in zip(states, every, strict=True)
            ]
            back = self._step.backward(kept, before, after, states)
            terms = [tf.matmul(p, matrix) for p, matrix in zip(back.product, turned, strict=True)]
            if back.states[0] is not None:
                terms.append(back.states[0])
            output = terms[0]
            for term in terms[1:]:
                output += term
            left = [*back.given, *back.product] if apart else back.given
            return [output, *back.states[1:]], left

        read = [*saved.before, *saved.after, *saved.saved, *each]
        first, left = self._steps(body, read, end, backwards=True)
        given, product = left[:groups], left[-groups:]
        biases = [_sum(part) for part in given]
        if apart:
            biases = [
                tf.stack([by_sum, _sum(part)]) for by_sum, part in zip(biases, product, strict=True)
            ]
        by_inputs = [
            _product(part, tf.transpose(kernel))
            for part, kernel in zip(given, kernels, strict=True)
        ]
        total = by_inputs[0]
        for part in by_inputs[1:]:
            total += part
        return Gradients(
            tf.transpose(total, [1, 0, 2]),
            first,
            [
                *(_weights(saved.inputs, part) for part in given),
                *(_weights(saved.before[0], part) for part in product),
                *biases,
            ],
        )

    def _by_group(self, weight: Tensor) -> list[Tensor]:
        """A weight whose last axis is gates in Keras' order, by group."""
        gates = tf.split(weight, sum(len(group) for group in self._step.groups), axis=-1)
        return [tf.concat([gates[gate] for gate in group], -1) for group in self._step.groups]

    def _parts(self, weights: Tensors) -> tuple[Tensors, Tensors, Tensors]:
        count = len(self._step.groups)
        return weights[:count], weights[count : 2 * count], weights[2 * count :]


def _product(steps: Tensor, matrix: Tensor) -> Tensor:
    """[steps, batch, a] times [a, b], as one product."""
    flat = tf.matmul(_flat(steps), matrix)
    known = steps.shape[0]
    count = tf.shape(steps)[0] if known is None else known
    return tf.reshape(flat, [count, -1, matrix.shape[-1]])


def _weights(inputs: Tensor, gates: Tensor) -> Tensor:
    return tf.matmul(_flat(inputs), _flat(gates), transpose_a=True)


def _sum(gates: Tensor) -> Tensor:
    return tf.reduce_sum(_flat(gates), axis=0)


def _flat(steps: Tensor) -> Tensor:
    return tf.reshape(steps, [-1, steps.shape[-1]])
