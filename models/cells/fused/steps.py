"""`Steps`: how one step follows the other: written out, in a loop of the graph, or compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors

Stacked = list[Any]
"""Tensors with an axis of steps first; in what is read, also `Before`."""

Body = Callable[[Tensors, Tensors, Tensors], tuple[Tensors, Tensors]]
"""From what all steps share, what a step reads and the states before: the states after, and what
the step leaves."""


class Before(NamedTuple):
    """Values after each step, of which a step reads those before it.

    Attributes:
        first: Those before the first step, [batch, ...].
        after: [steps, batch, ...].
    """

    first: Tensor
    after: Tensor

    def at(self, step: Tensor) -> Tensor:
        """Those before `step`, int []."""
        return tf.where(step > 0, self.after[tf.maximum(step - 1, 0)], self.first)

    def each(self) -> list[Tensor]:
        """Those before each of a known number of steps."""
        return [self.first, *tf.unstack(self.after)[:-1]]


class Steps(Protocol):
    """A scan, as in functional programming."""

    def __call__(
        self, body: Body, shared: Tensors, read: Stacked, states: Tensors, *, backwards: bool
    ) -> tuple[list[Tensor], Stacked]:
        """The states at the end, and what every step left, in the order of `read`.

        Args:
            body: One step; what it reads, states and leaves are flat lists.
            shared: What every step is given.
            read: [steps, batch, ...] each, of which a step reads a slice, or `Before`; a tensor
                comes first.
            states: Before the first step that is taken.
            backwards: Whether steps are taken from the last one on.
        """


def written_out(
    body: Body, shared: Tensors, read: Stacked, states: Tensors, *, backwards: bool
) -> tuple[list[Tensor], Stacked]:
    """Every step has nodes of its own in the graph: fast, for a known number of them."""
    # In a graph a call is one node until TensorFlow puts the body in its place, much faster than
    # Python would.
    eager = tf.executing_eagerly()
    step = partial(body if eager else tf.function(body, autograph=False), list(shared))
    columns = (x.each() if isinstance(x, Before) else tf.unstack(x) for x in read)
    slices = list(zip(*columns, strict=True))
    left = []
    states = list(states)
    for part in reversed(slices) if backwards else slices:
        states, found = step(list(part), states)
        left.append(found)
    in_order = left[::-1] if backwards else left
    return list(states), [tf.stack(each) for each in zip(*in_order, strict=True)]


def looped(
    body: Body, shared: Tensors, read: Stacked, states: Tensors, *, backwards: bool
) -> tuple[list[Tensor], Stacked]:
    """A loop of the graph: small for any number of steps, which need not be known."""
    count = tf.shape(read[0])[0]

    def at(step: Tensor) -> list[Tensor]:
        return [x.at(step) if isinstance(x, Before) else x[step] for x in read]

    example = body(shared, at(tf.constant(0)), states)[1]
    arrays = [tf.TensorArray(x.dtype, count, element_shape=x.shape) for x in example]

    def again(t: Tensor, states: Any, arrays: list[Any]) -> tuple[Tensor, Any, list[Any]]:
        step = count - 1 - t if backwards else t
        states, left = body(shared, at(step), states)
        return t + 1, list(states), [a.write(step, x) for a, x in zip(arrays, left, strict=True)]

    _, states, arrays = tf.while_loop(
        lambda t, *_: t < count, again, [tf.constant(0), list(states), arrays]
    )
    return list(states), [array.stack() for array in arrays]


class Compiled:
    """`looped` as a program of XLA, which is compiled once for each shape of what it reads.

    A step is then a product and a few passes over its numbers, without a call into TensorFlow
    between them. Half a second for each shape. Equal scans of one object share their program.

    Outside of a graph it is `looped`: a tape that watches would ask a program for its way back.
    """

    def __init__(self) -> None:
        self._programs: dict[tuple[Body, bool], Any] = {}

    def __call__(
        self, body: Body, shared: Tensors, read: Stacked, states: Tensors, *, backwards: bool
    ) -> tuple[list[Tensor], Stacked]:
        """See `Steps`."""
        if tf.executing_eagerly():
            return looped(body, shared, read, states, backwards=backwards)
        program = self._programs.get((body, backwards))
        if program is None:
            scan = partial(looped, body, backwards=backwards)
            program = tf.function(scan, jit_compile=True, autograph=False)
            self._programs[body, backwards] = program
        states, left = program(list(shared), list(read), list(states))
        return list(states), list(left)
