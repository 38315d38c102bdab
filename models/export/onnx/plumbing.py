"""Emitters of layers that only move or join values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.export.onnx.graph import Graph, Value


def concatenated(graph: Graph, values: Sequence[Value]) -> Value:
    """`values` joined along their last axis."""
    if len(values) == 1:
        return values[0]
    last = sum(int(value.shape[-1] or 0) for value in values)
    shape = (*values[0].shape[:-1], last)
    return graph.node("Concat", *values, shape=shape, dtype=values[0].dtype, axis=-1)


def concatenate(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`keras.layers.Concatenate` along the last axis."""
    return lambda values: concatenated(graph, values)


def add(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`keras.layers.Add` of two."""
    return lambda values: values[0] + values[1]


def steps(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.network.plumbing.Steps`."""
    return lambda values: values.part(layer.start, layer.stop, 1)


def at_every_step(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.network.plumbing.AtEveryStep`."""
    return lambda values: values.with_axis(1).repeated(layer.steps, 1)


def targets_to_batch(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.network.plumbing.TargetsToBatch`."""
    return lambda values: values.transposed(0, 2, 1).reshaped(None, values.shape[1], 1)


def repeat_for_targets(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.network.plumbing.RepeatForTargets`."""
    return lambda values: (
        values.with_axis(1).repeated(layer.targets, 1).reshaped(None, *values.shape[1:])
    )


def batch_to_targets(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.network.plumbing.BatchToTargets`."""
    return lambda values: values.reshaped(None, layer.targets, values.shape[1]).transposed(0, 2, 1)


def by_target(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.network.plumbing.ByTarget`."""
    return lambda values: [
        values.part(i, i + 1, 2).without_axis(2) for i in range(values.shape[2] or 0)
    ]
