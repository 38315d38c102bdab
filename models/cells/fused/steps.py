"""`Steps`: how one step follows the other, written out or in a loop of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import tensorflow as tf

from models.cells.fused.kernel import Tensor, Tensors

Stacked = list[Tensor]
"""Tensors with an axis of steps first."""

Body = Callable[[Tensors, Tensors], tuple[Tensors, Tensors]]
"""From what a step reads and the states before: the states after, and what the step leaves."""


class Steps(Protocol):
    """A scan, as in functional programming."""

    def __call__(
        self, body: Body, read: Stacked, states: Tensors, *, backwards: bool = False
    ) -> tuple[list[Tensor], Stacked]:
        """The states at the end, and what every step left, in the order of `read`.

        Args:
            body: One step; what it reads, states and leaves are flat lists.
            read: [steps, batch, ...] each; a step reads a slice of each.
            states: Before the first step that is taken.
            backwards: Whether steps are taken from the last one on.
        """


def written_out(
    body: Body, read: Stacked, states: Tensors, *, backwards: bool = False
) -> tuple[list[Tensor], Stacked]:
    """Every step has nodes of its own in the graph: fast, for a known number of them."""
    # In a graph a call is one node until TensorFlow puts the body in its place, much faster than
    # Python would.
    step = body if tf.executing_eagerly() else tf.function(body, autograph=False)
    slices = list(zip(*(tf.unstack(tensor) for tensor in read), strict=True))
    left = []
    states = list(states)
    for part in reversed(slices) if backwards else slices:
        states, found = step(list(part), states)
        left.append(found)
    in_order = left[::-1] if backwards else left
    return list(states), [tf.stack(each) for each in zip(*in_order, strict=True)]


def looped(
    body: Body, read: Stacked, states: Tensors, *, backwards: bool = False
) -> tuple[list[Tensor], Stacked]:
    """A loop of the graph: small for any number of steps, which need not be known."""
    count = tf.shape(read[0])[0]
    example = body([tensor[0] for tensor in read], states)[1]
    arrays = [tf.TensorArray(x.dtype, count, element_shape=x.shape) for x in example]

    def again(t: Tensor, states: Any, arrays: list[Any]) -> tuple[Tensor, Any, list[Any]]:
        at = count - 1 - t if backwards else t
        states, left = body([tensor[at] for tensor in read], states)
        return t + 1, list(states), [a.write(at, x) for a, x in zip(arrays, left, strict=True)]

    _, states, arrays = tf.while_loop(
        lambda t, *_: t < count, again, [tf.constant(0), list(states), arrays]
    )
    return list(states), [array.stack() for array in arrays]
