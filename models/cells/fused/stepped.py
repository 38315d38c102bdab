"""`Stepped`: a layer as its steps one after the other, written out or in a loop of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from models.cells.fused.kernel import Done, Gradients, Tensor, Tensors
from models.cells.fused.step import Step


@dataclass(frozen=True)
class _Trace:
    """What a forward pass leaves: the inputs [steps, batch, features], and by step the states
    before, the states after and what the step saved (lists, or tensors with an axis of steps).
    """

    inputs: Tensor
    before: list[Any]
    after: list[Any]
    saved: list[Any]


class Stepped:
    """The product of all inputs with the kernel is one, before the steps; so are those by which
    the gradients by inputs and weights are found, after the last step back. What is left of a step
    is one product of [batch, units] with [units, gates] and what its gates take.

    Written out (`loop` False), the graph has a few nodes for every step, and needs to know how many
    there are; in a loop it is small whatever their number, and somewhat slower.
    """

    def __init__(self, step: Step, *, loop: bool) -> None:
        """Takes the arithmetic of a step."""
        self._step = step
        self._loop = loop

    def arranged(self, weights: Tensors) -> list[Tensor]:
        """See `Kernel`."""
        return [self._step.arranged(weight) for weight in weights]

    def restored(self, gradients: Tensors) -> list[Tensor]:
        """See `Kernel`."""
        return [self._step.restored(gradient) for gradient in gradients]

    def forward(
        self, inputs: Tensor, states: Tensors, weights: Tensors, every: Sequence[bool]
    ) -> Done:
        """See `Kernel`."""
        kernel, recurrent, bias = weights
        inputs = tf.transpose(inputs, [1, 0, 2])
        given = _product(inputs, kernel) + (bias[0] if self._step.two_biases else bias)

        def step(given: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
            product = tf.matmul(states[0], recurrent)
            if self._step.two_biases:
                product += bias[1]
            return self._step.forward(given, product, states)

        read = _read_in_loop if self._loop else _read
        after, saved = read(step, given, states)
        outputs = []
        for state, wanted in zip(after, every, strict=True):
            whole = _stacked(state) if wanted else None
            outputs.append(state[-1] if whole is None else tf.transpose(whole, [1, 0, 2]))
        before = [_shifted(first, state) for first, state in zip(states, after, strict=True)]
        return Done(outputs, _Trace(inputs, before, after, saved))

    def backward(
        self, saved: _Trace, weights: Tensors, gradients: Tensors, every: Sequence[bool]
    ) -> Gradients:
        """See `Kernel`."""
        kernel, recurrent, _ = weights
        turned = tf.transpose(recurrent)
        each = [
            tf.transpose(gradient, [1, 0, 2]) if wanted else None
            for gradient, wanted in zip(gradients, every, strict=True)
        ]
        last = [
            tf.zeros_like(gradient[:, 0]) if wanted else gradient
            for gradient, wanted in zip(gradients, every, strict=True)
        ]

        def step(
            saved: Tensors, before: Tensors, after: Tensors, states: Tensors
        ) -> tuple[Tensor, Tensor, Tensors]:
            found = self._step.backward(saved, before, after, states)
            through = tf.matmul(found.product, turned)
            own = found.states[0]
            output = through if own is None else through + own
            return found.given, found.product, [output, *found.states[1:]]

        read = _back_in_loop if self._loop else _back
        given, product, first = read(step, saved, each, last, self._step.two_biases)
        weights_found = [
            _weights(saved.inputs, given),
            _weights(_stacked(saved.before[0]), product),
            _sum(given),
        ]
        if self._step.two_biases:
            weights_found[2] = tf.stack([_sum(given), _sum(product)])
        by_inputs = tf.transpose(_product(given, tf.transpose(kernel)), [1, 0, 2])
        return Gradients(by_inputs, list(first), weights_found)


ForwardStep = Callable[[Tensor, Tensors], tuple[Tensors, Tensors]]
BackwardStep = Callable[[Tensors, Tensors, Tensors, Tensors], tuple[Tensor, Tensor, Tensors]]


def _read(step: ForwardStep, given: Tensor, states: Tensors) -> tuple[list[Any], list[Any]]:
    after, saved = [], []
    for now in tf.unstack(given):
        states, kept = step(now, states)
        after.append(states)
        saved.append(kept)
    return [list(x) for x in zip(*after, strict=True)], [list(x) for x in zip(*saved, strict=True)]


def _back(
    step: BackwardStep, trace: _Trace, each: Sequence[Any], states: Tensors, two: bool
) -> tuple[Tensor, Tensor, Tensors]:
    given, product = [], []
    by_step = [None if gradient is None else tf.unstack(gradient) for gradient in each]
    for t in reversed(range(len(trace.after[0]))):
        states = [
            state if found is None else state + found[t]
            for state, found in zip(states, by_step, strict=True)
        ]
        saved, before, after = (
            [tensor[t] for tensor in tensors]
            for tensors in (trace.saved, trace.before, trace.after)
        )
        g, p, states = step(saved, before, after, states)
        given.append(g)
        product.append(p)
    by_given = tf.stack(given[::-1])
    return by_given, tf.stack(product[::-1]) if two else by_given, states


def _read_in_loop(step: ForwardStep, given: Tensor, states: Tensors) -> tuple[list[Any], list[Any]]:
    steps = tf.shape(given)[0]
    count = len(states)
    shapes = tf.nest.map_structure(lambda x: (x.dtype, x.shape), step(given[0], states))
    arrays = [tf.TensorArray(dtype, steps, element_shape=shape) for dtype, shape in _pairs(shapes)]

    def body(t: Tensor, states: Tensors, arrays: list[Any]) -> tuple[Tensor, Tensors, list[Any]]:
        after, saved = step(given[t], states)
        written = [a.write(t, v) for a, v in zip(arrays, [*after, *saved], strict=True)]
        return t + 1, list(after), written

    _, _, arrays = tf.while_loop(
        lambda t, *_: t < steps, body, [tf.constant(0), list(states), arrays]
    )
    found = [array.stack() for array in arrays]
    return found[:count], found[count:]


def _pairs(shapes: Any) -> list[tuple[Any, Any]]:
    after, saved = shapes
    return [*after, *saved]


def _back_in_loop(
    step: BackwardStep, trace: _Trace, each: Sequence[Any], states: Tensors, two: bool
) -> tuple[Tensor, Tensor, Tensors]:
    steps = tf.shape(trace.inputs)[0]
    gates = trace.before[0].dtype
    arrays = [tf.TensorArray(gates, steps) for _ in range(1 + two)]

    def body(t: Tensor, states: Tensors, arrays: list[Any]) -> tuple[Tensor, Tensors, list[Any]]:
        states = [
            state if found is None else state + found[t]
            for state, found in zip(states, each, strict=True)
        ]
        saved, before, after = (
            [tensor[t] for tensor in tensors]
            for tensors in (trace.saved, trace.before, trace.after)
        )
        g, p, states = step(saved, before, after, states)
        found = [g, p] if two else [g]
        return t - 1, states, [a.write(t, v) for a, v in zip(arrays, found, strict=True)]

    _, states, arrays = tf.while_loop(lambda t, *_: t >= 0, body, [steps - 1, list(states), arrays])
    found = [array.stack() for array in arrays]
    return found[0], found[-1], states


def _stacked(state: Any) -> Tensor:
    return tf.stack(state) if isinstance(state, list) else state


def _shifted(first: Tensor, state: Any) -> Any:
    """The states before each step, from those after each."""
    if isinstance(state, list):
        return [first, *state[:-1]]
    return tf.concat([first[None], state[:-1]], axis=0)


def _product(steps: Tensor, matrix: Tensor) -> Tensor:
    """[steps, batch, a] times [a, b], as one product."""
    flat = tf.matmul(_flat(steps), matrix)
    return tf.reshape(flat, tf.concat([tf.shape(steps)[:2], [matrix.shape[-1]]], axis=0))


def _weights(inputs: Tensor, gates: Tensor) -> Tensor:
    return tf.matmul(_flat(inputs), _flat(gates), transpose_a=True)


def _sum(gates: Tensor) -> Tensor:
    return tf.reduce_sum(_flat(gates), axis=0)


def _flat(steps: Tensor) -> Tensor:
    return tf.reshape(steps, [-1, steps.shape[-1]])
