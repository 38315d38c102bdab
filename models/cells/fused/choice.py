"""Which kernel computes a layer, and why none does."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.cells.fused.block_lstm import BlockLstm
from models.cells.fused.gru_step import GruStep
from models.cells.fused.kernel import Kernel
from models.cells.fused.lstm_step import LstmStep
from models.cells.fused.nonlinearity import nonlinearity
from models.cells.fused.simple_step import SimpleStep
from models.cells.fused.step import Step
from models.cells.fused.stepped import Stepped
from models.cells.fused.steps import looped, written_out

BLOCK_UNITS = 128
"""Most units with which BlockLSTMV2 is faster than steps written out (measured on CPUs)."""
LONGEST = 256
"""Most steps that are written out: each is some twenty nodes of the graph with its way back."""


class NoKernel(Exception):  # noqa: N818
    """Keras' loop has to do it; the text says why."""


def kernel_for(layer: Any, sequences: Any) -> Kernel:
    """The kernel for a built SimpleRNN, LSTM or GRU and what it reads.

    Args:
        layer: A layer of Keras or of ours.
        sequences: [batch, steps, features]; its number of steps may be unknown.

    Raises:
        NoKernel: If there is none.
    """
    cell = layer.cell
    if layer.unroll:
        raise NoKernel("unroll is true")
    if cell.recurrent_dropout > 0:
        raise NoKernel(f"recurrent_dropout is {cell.recurrent_dropout:g}, which acts at every step")
    if getattr(cell, "implementation", 2) != 2:
        raise NoKernel(f"implementation is {cell.implementation}, which drops inputs by gate")
    activation = nonlinearity(cell.activation)
    if activation is None:
        name = getattr(cell.activation, "__name__", cell.activation)
        raise NoKernel(f"activation is {name}; expected tanh, sigmoid, relu or linear")
    gate = getattr(cell, "recurrent_activation", keras.activations.sigmoid)
    if gate is not keras.activations.sigmoid:
        name = getattr(gate, "__name__", gate)
        raise NoKernel(f"recurrent_activation is {name}; expected sigmoid")
    steps = sequences.shape[1]
    step: Step
    if isinstance(layer, keras.layers.LSTM):
        block = cell.activation is keras.activations.tanh and _dtype(layer) in (
            tf.float32,
            tf.float16,
        )
        if block and (layer.units <= BLOCK_UNITS or steps is None or steps > LONGEST):
            return BlockLstm(layer.units)
        step = LstmStep(activation)
    elif isinstance(layer, keras.layers.GRU):
        if not cell.reset_after:
            raise NoKernel("reset_after is false; expected true, as cuDNN has it")
        step = GruStep(activation)
    else:
        step = SimpleStep(activation)
    return Stepped(step, looped if steps is None or steps > LONGEST else written_out)


def _dtype(layer: Any) -> tf.DType:
    return tf.as_dtype(layer.compute_dtype)
