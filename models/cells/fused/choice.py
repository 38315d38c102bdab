"""Which kernel computes a layer, and why none does."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.cells.fused.block_lstm import BlockLstm, BlockThenSteps
from models.cells.fused.gru_step import GruStep
from models.cells.fused.kernel import Kernel
from models.cells.fused.lstm_step import LstmStep
from models.cells.fused.nonlinearity import TANH, Nonlinearity, nonlinearity
from models.cells.fused.simple_step import SimpleStep
from models.cells.fused.step import Step
from models.cells.fused.stepped import Stepped
from models.cells.fused.steps import Compiled, Steps, looped, written_out

BLOCK_UNITS = 128
"""Most units with which BlockLSTMV2 or XLA is faster than steps written out (measured on CPUs)."""
LONGEST = 256
"""Most steps that are written out: each is some twenty nodes of the graph with its way back."""


class NoKernel(Exception):  # noqa: N818
    """Keras' loop has to do it; the text says why."""


def kernel_for(layer: Any, sequences: Any, *, masked: bool, compiled: bool) -> Kernel:
    """The kernel for a built SimpleRNN, LSTM or GRU and what it reads.

    Args:
        layer: A layer of Keras or of ours.
        sequences: [batch, steps, features]; its number of steps may be unknown.
        masked: Whether there is a mask.
        compiled: Whether XLA may compile the steps.

    Raises:
        NoKernel: If there is none.
    """
    activation = _activation(layer)
    known, dtype = sequences.shape[1], _dtype(layer)
    plain: Steps = looped if known is None or known > LONGEST else written_out
    compiled = compiled and dtype in (tf.float32, tf.float64)
    every = [masked or layer.return_sequences]
    if isinstance(layer, keras.layers.LSTM):
        every.append(masked)
        few = layer.units <= BLOCK_UNITS
        block = activation is TANH and dtype in (tf.float32, tf.float16)
        if block and compiled and few:
            return BlockThenSteps(Compiled(), every)
        if block and (few or plain is looped):
            return BlockLstm(every)
        # Large ones are not compiled: XLA multiplies at half of TensorFlow's speed there.
        return Stepped(LstmStep(activation), Compiled() if compiled and few else plain, every)
    gru = isinstance(layer, keras.layers.GRU)
    step: Step = GruStep(activation) if gru else SimpleStep(activation)
    return Stepped(step, Compiled() if compiled else plain, every)


def _activation(layer: Any) -> Nonlinearity:
    """That of the layer's cell, of which a kernel can compute everything else, too."""
    cell = layer.cell
    if layer.unroll:
        raise NoKernel("unroll is true")
    if cell.recurrent_dropout > 0:
        raise NoKernel(f"recurrent_dropout is {cell.recurrent_dropout:g}, which acts at every step")
    if getattr(cell, "implementation", 2) != 2:
        raise NoKernel(f"implementation is {cell.implementation}, which drops inputs by gate")
    if not getattr(cell, "reset_after", True):
        raise NoKernel("reset_after is false; expected true, as cuDNN has it")
    gate = getattr(cell, "recurrent_activation", keras.activations.sigmoid)
    if gate is not keras.activations.sigmoid:
        name = getattr(gate, "__name__", gate)
        raise NoKernel(f"recurrent_activation is {name}; expected sigmoid")
    activation = nonlinearity(cell.activation)
    if activation is None:
        name = getattr(cell.activation, "__name__", cell.activation)
        raise NoKernel(f"activation is {name}; expected tanh, sigmoid, relu or linear")
    return activation


def _dtype(layer: Any) -> tf.DType:
    return tf.as_dtype(layer.compute_dtype)
