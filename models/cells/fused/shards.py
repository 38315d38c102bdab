"""`run`: a kernel over a batch, or over its parts side by side, differentiable once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from models.cells.fused.kernel import Kernel, Tensor, Tensors


def run(
    kernel: Kernel,
    inputs: Tensor,
    states: Tensors,
    weights: Tensors,
    *,
    shards: int = 1,
) -> list[Tensor]:
    """The states after all steps, or after the last.

    The batch is cut into `shards` parts, as equal as can be, with no dependency between them:
    TensorFlow runs them on different threads. The gradients by the weights are added up in a fixed
    order, so that equal calls give equal bits. A row gives the same in any part but for the
    rounding of matrix products of other heights.

    Args:
        kernel: The arithmetic.
        inputs: [batch, steps, features].
        states: Before the first step, each [batch, units].
        weights: Kernel, recurrent kernel and bias of the Keras layer.
        shards: Parts of the batch; no more than a batch of known size has rows.
    """
    count = len(states)
    rows = inputs.shape[0]
    parts = shards if rows is None else max(1, min(shards, int(rows)))

    @tf.custom_gradient
    def whole(*given: Tensor) -> Any:
        inputs, states, weights = given[0], given[1 : 1 + count], given[1 + count :]
        cuts = _cuts(inputs, parts)
        done = [
            kernel.forward(x, s, weights)
            for x, *s in zip(*(_cut(tensor, cuts) for tensor in (inputs, *states)), strict=True)
        ]
        outputs = [_join(found) for found in zip(*(d.outputs for d in done), strict=True)]

        def gradient(*upstream: Tensor) -> list[Tensor]:
            by_part = zip(*(_cut(tensor, cuts) for tensor in upstream), strict=True)
            found = [
                kernel.backward(d.saved, weights, g) for d, g in zip(done, by_part, strict=True)
            ]
            by_weights = zip(*(part.weights for part in found), strict=True)
            by_states = zip(*(part.states for part in found), strict=True)
            return [
                _join([part.inputs for part in found]),
                *(_join(parts) for parts in by_states),
                *(_sum(parts) for parts in by_weights),
            ]

        return outputs, gradient

    return list(whole(inputs, *states, *weights))


def _cuts(tensor: Tensor, parts: int) -> list[Any]:
    """Where parts begin and end along the batch; none is larger by more than one row."""
    if parts == 1:
        return []
    known = tensor.shape[0]
    rows = tf.shape(tensor)[0] if known is None else known
    return [(rows * part + parts - 1) // parts for part in range(parts + 1)]


def _cut(tensor: Tensor, cuts: list[Any]) -> list[Tensor]:
    if not cuts:
        return [tensor]
    return [tensor[low:high] for low, high in itertools.pairwise(cuts)]


def _join(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else tf.concat(list(parts), axis=0)


def _sum(parts: Sequence[Tensor]) -> Tensor:
    """Not by additions, which TensorFlow joins to an `add_n`, whose order varies."""
    return parts[0] if len(parts) == 1 else tf.reduce_sum(tf.stack(list(parts)), axis=0)
