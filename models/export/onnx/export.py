"""`write_onnx`: the signature `serving_default` of a forecaster as `model.onnx`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from models.export.engines import ONNX_FILE, ONNX_OUTPUT
from models.export.onnx.emitters import emitted
from models.export.onnx.graph import Graph, Value
from models.export.onnx.missing import nan_if_missing
from models.network.wiring import connect, recurrent
from models.roles import Roles


def write_onnx(model: keras.Model, described: Mapping[str, Any], folder: Path) -> None:
    """Writes `model.onnx` into `folder`.

    The graph is `models.network.wiring.connect` called once more, with values of an ONNX graph in
    the place of tensors and an emitter in the place of each layer. Recurrent layers become ONNX's
    own operators, which run a whole sequence in one call.

    Inputs have the names, types and shapes of the signature: `[batch, ...]` float32, int64 and
    strings. Outputs are float32 `[batch, horizon]`; ONNX wants one name for one tensor, and a
    target is an input and an output, so an output is called `forecast.` and its name in the
    signature. The model's metadata holds `elman`, the JSON of its description.

    Args:
        model: A float32 forecaster as `models.export.portable.portable_copy` makes it.
        described: Its metadata, see `models.export.metadata.describe`.
        folder: Of the SavedModel.

    Raises:
        BadInputError: If the package `onnx` is not installed, or a layer cannot be written.
    """
    graph = Graph()
    roles = Roles.model_validate(described["roles"])
    layers = {
        layer.name: emitted(graph, layer)
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }
    inputs = {
        column: graph.input(
            name, (None, *described["input_shapes"][column]), described["input_types"][column]
        )
        for column, name in described["inputs"].items()
    }

    def encode(steps: Value) -> Value:
        value, index = steps, 0
        while recurrent(index) in layers:
            value = layers[recurrent(index)](value)
            index += 1
        return nan_if_missing(graph, value, steps)

    forecasts = connect(layers, inputs, roles, tuple(described["text"]), encode=encode)
    outputs = [
        graph.named(forecasts[target], ONNX_OUTPUT + name)
        for target, name in described["outputs"].items()
    ]
    about = {"elman": json.dumps(described, sort_keys=True, ensure_ascii=False)}
    (folder / ONNX_FILE).write_bytes(
        graph.model(list(inputs.values()), outputs, about).SerializeToString(deterministic=True)
    )
