"""`fused_loop`: what Keras calls the inner loop of a recurrent layer, by a kernel."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.cells.fused.kernel import Kernel
from models.cells.fused.packing import Packing
from models.cells.fused.shards import run

Tensor = Any


def fused_loop(
    layer: Any,
    kernel: Kernel,
    sequences: Tensor,
    states: list[Tensor],
    mask: Tensor | None,
    *,
    training: bool,
    shards: int,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The arithmetic of a Keras recurrent layer.

    Args:
        layer: The layer; its cell has kernel, recurrent_kernel and bias.
        kernel: Its arithmetic, with every state after every step where there is a mask, and every
            output where the layer returns sequences.
        sequences: [batch, steps, features].
        states: Before the first step, each [batch, units].
        mask: bool [batch, steps], or None.
        training: Whether dropout of the inputs is on.
        shards: Parts of the batch that are computed side by side.

    Returns:
        As `keras.layers.RNN.inner_loop`: the last output [batch, units], the output at every step
        in the order of reading [batch, steps, units] (a single one unless `return_sequences`),
        and the states after the last step.
    """
    cell = layer.cell
    if training and cell.dropout > 0:
        # One mask for all steps, the one that Keras has drawn for this call.
        sequences = sequences * cell.get_dropout_mask(sequences[:, 0, :])[:, None]
    weights = [tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel)]
    dtype = weights[0].dtype
    sequences = tf.cast(sequences, dtype)
    states = [tf.cast(state, dtype) for state in states]
    weights.append(_bias(cell, weights[0]))
    packing = None
    if mask is not None:
        packing = Packing(
            mask, backwards=layer.go_backwards, zero_output=layer.zero_output_for_mask
        )
        sequences = packing.packed(sequences)
    elif layer.go_backwards:
        sequences = tf.reverse(sequences, axis=[1])
    found = run(kernel, sequences, states, weights, shards=shards)
    if packing is None:
        last = [
            state[:, -1] if wanted else state
            for state, wanted in zip(found, kernel.every, strict=True)
        ]
        return last[0], found[0] if layer.return_sequences else last[0][:, None], last
    after = [packing.last(state, first) for state, first in zip(found, states, strict=True)]
    output = packing.last_output(found[0])
    outputs = packing.outputs(found[0]) if layer.return_sequences else output[:, None]
    return output, outputs, after


def _bias(cell: Any, kernel: Tensor) -> Tensor:
    """The bias of a cell; zeros where it has none."""
    if cell.bias is not None:
        return tf.convert_to_tensor(cell.bias)
    gates = kernel.shape[-1]
    shape = (2, gates) if getattr(cell, "reset_after", False) else (gates,)
    return tf.zeros(shape, kernel.dtype)
