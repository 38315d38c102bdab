"""Emitters of what happens to values: scaling, normalisation, calendar and vocabularies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from models.export.onnx.graph import ML, Graph, Value
from models.export.onnx.plumbing import concatenated
from models.features.calendar import Calendar
from models.features.cycles import calendar_parts, moved
from models.features.normalization import RESOLUTION, SPREAD_FLOOR, TargetNormalization


def columns(graph: Graph, layer: Any) -> Any:
    """`models.features.normalization.Columns`."""
    mean, scale = (np.asarray(values, np.float32) for values in (layer.mean, layer.scale))

    def call(values: list[Value]) -> Value:
        parts = [value.cast("float32").with_axis(1) for value in values]
        shape = (None, len(parts), *values[0].shape[1:])
        stacked = graph.node("Concat", *parts, shape=shape, dtype="float32", axis=1)
        if len(shape) > 2:
            stacked = stacked.transposed(0, 2, 1)
        if not mean.any() and (scale == 1).all():
            return stacked
        if len(stacked.shape) < 3:
            return (stacked - mean) / scale
        means, scales = (_by_step(graph.constant(v[None, None]), stacked) for v in (mean, scale))
        return (stacked - means) / scales

    return call


def normalization(graph: Graph, layer: TargetNormalization) -> Any:
    """`models.features.normalization.TargetNormalization`."""

    def call(targets: Value) -> tuple[Value, Value, Value]:
        _, steps, width = targets.shape
        assert steps is not None
        if layer.kind != "window":
            standard = layer.kind == "standard"
            mean = layer.mean if standard else [0.0] * int(width or 0)
            scale = layer.scale if standard else [1.0] * int(width or 0)
            anchor, spread = (graph.constant([[v]], "float32") for v in (mean, scale))
            if not standard:
                return targets, anchor, spread
            means, scales = (_by_step(value, targets) for value in (anchor, spread))
            return (targets - means) / scales, anchor, spread
        last = targets.part(steps - 1, steps, 1)
        moves = targets - last
        centred = moves - moves.over("ReduceMean", 1)
        largest = centred.mapped("Abs").over("ReduceMax", 1)
        # Where nothing moves, 0 / 1 is the 0 that TensorFlow's divide_no_nan gives.
        still = graph.node(
            "Equal", largest, graph.constant(0.0, "float32"), shape=largest.shape, dtype="bool"
        ).cast("float32")
        shape = centred / (largest + still)
        spread = largest * (shape * shape).over("ReduceMean", 1).mapped("Sqrt")
        floor = graph.constant(np.float32(SPREAD_FLOOR) * np.asarray([[layer.scale]], np.float32))
        spread = spread.with_other("Max", floor)
        spread = spread.with_other("Max", last.mapped("Abs") * np.float32(RESOLUTION))
        return moves / spread, last, spread

    return call


def denormalize(graph: Graph, layer: Any) -> Any:  # noqa: ARG001
    """`models.features.normalization.Denormalize`."""

    def call(forecast: Value, anchor: Value, spread: Value) -> Value:
        if anchor.shape[0] == 1:
            anchor, spread = (_by_step(value, forecast) for value in (anchor, spread))
        return anchor + spread * forecast

    return call


def _by_step(constant: Value, values: Value) -> Value:
    """[1, 1, columns] for every step of `values`.

    ONNX Runtime repeats the shorter side in loops of its length, which for a few columns take
    longer than the arithmetic. What comes of a constant it computes once, when it loads the graph.
    """
    return constant.repeated(int(values.shape[1] or 1), 1)


def calendar(graph: Graph, layer: Calendar) -> Any:
    """`models.features.calendar.Calendar`."""
    offsets = np.arange(1 - layer.past, layer.future + 1, dtype=np.int64)[None, :]

    def call(time: Value) -> Value:
        times = moved(time.with_axis(1), graph.constant(offsets), layer.step)
        parts = calendar_parts(times)
        made = []
        for name in layer.features:
            _, part, whole = parts[name]
            share = part.cast("float32") / (
                whole.cast("float32") if isinstance(whole, Value) else float(whole)
            )
            angle = (share * np.float32(2 * math.pi)).with_axis(2)
            made += [angle.mapped("Sin"), angle.mapped("Cos")]
        return concatenated(graph, made)

    return call


def words(graph: Graph, layer: Any) -> Any:
    """`models.features.vocabulary.VocabularyEmbedding`: row 0 is that of unknown words, zeros."""
    weights = layer.embedding.get_weights()[0].copy()
    weights[0] = 0.0

    def call(text: Value) -> Value:
        index = graph.node(
            "LabelEncoder",
            text,
            shape=text.shape,
            dtype="int64",
            domain=ML,
            keys_strings=list(layer.vocabulary),
            values_int64s=list(range(1, len(layer.vocabulary) + 1)),
            default_int64=0,
        )
        shape = (*text.shape, weights.shape[1])
        return graph.node("Gather", graph.constant(weights), index, shape=shape, axis=0)

    return call
