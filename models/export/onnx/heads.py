"""Emitters of what makes forecasts of a state: the head and the shortcut."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.export.onnx.graph import Graph, Value


def direct_head(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.heads.direct.DirectHead`."""

    def dense(part: Any, value: Value) -> Value:
        kernel, *bias = part.get_weights()
        product = value.matmul(kernel)
        return product + bias[0] if bias else product

    def call(context: Value, future: Value | None = None) -> Value:
        flat = dense(layer.read_out, context)
        forecast = flat.reshaped(None, layer.horizon, layer.targets)
        if future is None:
            return forecast
        of_context = dense(layer.from_context, context).with_axis(1)
        hidden = (dense(layer.from_step, future) + of_context).mapped("Relu")
        return forecast + dense(layer.step_out, hidden)

    return call


def shortcut(graph: Graph, layer: Any) -> Any:
    """`models.heads.shortcut.Shortcut`: a product for each target, which comes first meanwhile."""
    kernel = np.asarray(layer.get_weights()[0])  # [targets, lookback, horizon]

    def call(values: Value) -> Value:
        first = values.transposed(2, 0, 1)
        shape = (first.shape[0], first.shape[1], kernel.shape[2])
        made = graph.node("MatMul", first, graph.constant(kernel), shape=shape)
        return made.transposed(1, 2, 0)

    return call
