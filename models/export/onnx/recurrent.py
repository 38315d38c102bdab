"""Emitters of recurrent layers: ONNX's own operators, with Keras' weights in their order.

ONNX's RNN, LSTM and GRU run a whole sequence in one node. Their gates come as input, output,
forget, cell (LSTM) and update, reset, new (GRU), those of Keras as input, forget, cell, output
and the same three. Keras' GRU with `reset_after` is ONNX's with `linear_before_reset`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from models.cells.second_order import SecondOrder
from models.errors import BadInputError
from models.export.onnx.graph import Graph, Value
from models.export.onnx.plumbing import concatenated
from models.export.onnx.scan import scan

_ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}
_LSTM_ORDER = (0, 3, 1, 2)
Array = npt.NDArray[Any]


def recurrent(graph: Graph, layer: Any) -> Any:
    """SimpleRNN, LSTM and GRU of Keras, or our second-order layer, alone or in both directions.

    Raises:
        BadInputError: If the layer does what ONNX's operators do not.
    """
    if isinstance(layer, keras.layers.Bidirectional):
        directions = [layer.forward_layer, layer.backward_layer]
        if layer.merge_mode != "concat":
            raise _refused(layer, f"merge_mode {layer.merge_mode}")
    else:
        directions = [layer]
    for index, one in enumerate(directions):
        if bool(one.go_backwards) != bool(index):
            raise _refused(layer, f"go_backwards {one.go_backwards}")
        if one.stateful:
            raise _refused(layer, "stateful")
    if isinstance(directions[0], SecondOrder):
        each = [_second_order(graph, one) for one in directions]
        return lambda values: concatenated(graph, [call(values) for call in each])
    first = directions[0]
    operator, attributes = _operator(layer, first)
    kernels, recurrents, biases = zip(*(_weights(operator, one) for one in directions), strict=True)
    weights = [graph.constant(np.stack(each)) for each in (kernels, recurrents, biases)]
    count, units = len(directions), int(first.units)
    attributes["activations"] = attributes["activations"] * count
    attributes |= {"hidden_size": units}
    attributes |= {"direction": "bidirectional" if count == 2 else "forward"}

    def call(values: Value) -> Value:
        _, length, _ = values.shape
        by_step = values.transposed(1, 0, 2)
        every = (length, count, None, units)
        final = (count, None, units)
        shapes = [every, None] if first.return_sequences else [None, final]
        both = graph.nodes_outputs(operator, [by_step, *weights], shapes, **attributes)
        if first.return_sequences:
            if count == 1:
                return both[0].without_axis(1).transposed(1, 0, 2)
            return both[0].transposed(2, 0, 1, 3).reshaped(None, length, count * units)
        if count == 1:
            return both[1].without_axis(0)
        return both[1].transposed(1, 0, 2).reshaped(None, count * units)

    return call


def _second_order(graph: Graph, layer: SecondOrder) -> Any:
    """`models.cells.second_order.SecondOrder`, as a Scan; products with inputs come before it."""
    cell = layer.cell
    kernel, factors_kernel, recurrents, outputs = (
        np.asarray(w)
        for w in (cell.kernel, cell.factor_kernel, cell.recurrent_kernel, cell.factor_output)
    )
    bias = np.zeros(cell.units, np.float32) if cell.bias is None else np.asarray(cell.bias)
    activation = _activation(layer, cell.get_config()["activation"])

    def step(state: Value, gain: Value, drive: Value) -> Value:
        factors = gain * state.matmul(recurrents)
        return (drive + factors.matmul(outputs)).mapped(activation)

    def call(values: Value) -> Value:
        by_step = values.transposed(1, 0, 2)
        gain = by_step.matmul(factors_kernel) + np.asarray(cell.factor_bias)
        drive = by_step.matmul(kernel) + bias
        zeros = drive.part(0, 1, 0).without_axis(0) * 0.0
        every, last = scan(graph, step, zeros, [gain, drive], backwards=layer.go_backwards)
        return every.transposed(1, 0, 2) if layer.return_sequences else last

    return call


def _operator(layer: Any, one: Any) -> tuple[str, dict[str, Any]]:
    config = one.get_config()
    activation = _activation(layer, config["activation"])
    if isinstance(one, keras.layers.SimpleRNN):
        return "RNN", {"activations": [activation]}
    gates = _activation(layer, config["recurrent_activation"])
    if isinstance(one, keras.layers.LSTM):
        return "LSTM", {"activations": [gates, activation, activation]}
    if isinstance(one, keras.layers.GRU):
        after = int(config["reset_after"])
        return "GRU", {"activations": [gates, activation], "linear_before_reset": after}
    raise _refused(layer, f"type {type(one).__name__}")


def _weights(operator: str, one: Any) -> tuple[Array, Array, Array]:
    """Kernel [gates * units, features], recurrent kernel and the two biases, as ONNX has them."""
    kernel, recurrents, *rest = (np.asarray(w, np.float32) for w in one.get_weights())
    bias = np.zeros((2, kernel.shape[1]), np.float32)
    if rest:
        bias[: rest[0].ndim] = rest[0]
    if operator == "LSTM":
        kernel, recurrents, bias = (
            _in_order(array, _LSTM_ORDER) for array in (kernel, recurrents, bias)
        )
    return kernel.T, recurrents.T, bias.reshape(-1)


def _in_order(array: Array, order: Sequence[int]) -> Array:
    parts = np.split(array, len(order), axis=-1)
    return np.concatenate([parts[place] for place in order], axis=-1)


def _activation(layer: Any, name: Any) -> str:
    if name not in _ACTIVATIONS:
        raise _refused(layer, f"activation {name}")
    return _ACTIVATIONS[name]


def _refused(layer: Any, what: str) -> BadInputError:
    return BadInputError(
        f"the layer {layer.name!r} ({what}) cannot be written as ONNX; use serving.engine: "
        "tensorflow, or one of the cells simple_rnn, lstm, gru and second_order"
    )
