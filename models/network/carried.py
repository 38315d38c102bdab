"""The state that a forecaster carries from step to step of a stream."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.network.wiring import BY_TARGET, SHORTCUT, Layers, lookback_layers, recurrent
from models.roles import Roles
from models.windows.spec import WindowSpec

State = dict[str, Any]
"""By state tensor, float32 [streams, ...]."""


def step_layers(model: keras.Model, step: WindowSpec, roles: Roles, frequency: str) -> Layers:
    """The layers of `model`, with those for one step where the length of the lookback matters.

    Args:
        model: A forecaster as `build_forecaster` made it.
        step: Its window with a lookback of 1.
        roles: Its columns.
        frequency: Step of its series, a pandas offset alias.
    """
    layers: Layers = {layer.name: layer for layer in model.layers}
    return layers | {layer.name: layer for layer in lookback_layers(step, roles, frequency)}


def layer_state(
    state: State, shapes: dict[str, tuple[int, ...]], index: int
) -> tuple[list[str], list[Any]]:
    """State of recurrent layer `index`: tensor names, and as its cell takes them [rows, units].

    Rows are streams, or streams times targets where the targets share one network.
    """
    names = [name for name in shapes if name.startswith(f"state_{index}_")]
    return names, [tf.reshape(state[name], (-1, shapes[name][-1])) for name in names]


def depth(layers: Layers) -> int:
    """Number of recurrent layers."""
    return sum(recurrent(index) in layers for index in range(len(layers)))


def state_shapes(layers: Layers, lookback: int, targets: int) -> dict[str, tuple[int, ...]]:
    """By state tensor, its shape without the axis of streams.

    `state_<i>_h` is the output of recurrent layer `i` and `state_<i>_c` the cell of an LSTM,
    [units], or [targets, units] where the targets share one network; `state_shortcut` holds the
    normalised targets of the last lookback steps, [lookback, targets].

    Args:
        layers: Of a forecaster that can be read step by step, by name.
        lookback: Of its window.
        targets: Number of targets.
    """
    by_target = (targets,) if BY_TARGET in layers else ()
    shapes: dict[str, tuple[int, ...]] = {}
    for index in range(depth(layers)):
        cell = layers[recurrent(index)].cell
        sizes = cell.state_size if isinstance(cell.state_size, list) else [cell.state_size]
        for name, size in zip(("h", "c"), sizes, strict=False):
            shapes[f"state_{index}_{name}"] = (*by_target, int(size))
    if SHORTCUT in layers:
        shapes["state_shortcut"] = (lookback, targets)
    return shapes
