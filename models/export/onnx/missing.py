"""`nan_if_missing`: a value that is not known stays not known."""

from __future__ import annotations

import numpy as np

from models.export.onnx.graph import Graph, Value


def nan_if_missing(graph: Graph, state: Value, steps: Value) -> Value:
    """`state`, nan in the rows where `steps` hold a nan.

    TensorFlow carries a nan from step to step into every unit. ONNX Runtime's LSTM, GRU and RNN
    bound what they hand to their activations, which makes a number of a nan, and so a forecast of
    nothing; it would look like any other.

    Args:
        graph: Where both are.
        state: What was made of the steps, [rows, units].
        steps: [rows, steps, features].
    """
    # In the order in which layers read: with one order in use, ONNX Runtime turns values once.
    by_step = steps.transposed(1, 0, 2)
    unknown = graph.node("IsNaN", by_step, shape=by_step.shape, dtype="bool").cast("float32")
    axes = graph.constant([0, 2], "int64")
    row = graph.node("ReduceMax", unknown, axes, shape=(1, steps.shape[0], 1), keepdims=1)
    nan = graph.constant(np.float32("nan"))
    return graph.node("Where", row.without_axis(0).cast("bool"), nan, state, shape=state.shape)
