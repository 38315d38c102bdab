"""`StreamReader`: a forecaster that reads stretches of streams and forecasts at every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.cells.layers import Fused
from models.network.carried import State, depth, layer_state, state_shapes, step_layers
from models.network.wiring import (
    BY_TARGET,
    SHORTCUT,
    connect,
    recurrent,
)
from models.roles import Roles
from models.windows.spec import WindowSpec

Tensor = Any


class StreamReader:
    """Many steps of several streams at a time, through the same layers and wiring as windows.

    Every step of every stream is a row, as if it were a window of one step; only the recurrent
    layers, and the shortcut, see that rows follow each other. What comes out at a step is what
    `models.export.streaming.Stepper` gives for it when it is fed the stream step by step.

    Dropout masks are drawn for each call, and hold for all steps of it.

    Attributes:
        state: By state tensor, its shape without the axis of streams: see `state_shapes`.

    Args:
        model: As `build_forecaster` made it, and such that `streaming_refusal` has nothing
            against it. Its weights are used, not copied.
        spec: The model's window.
        roles: The model's columns.
        frequency: Step of the series, a pandas offset alias.
        text: The static covariates that are strings.
    """

    def __init__(
        self,
        model: keras.Model,
        spec: WindowSpec,
        roles: Roles,
        frequency: str,
        text: tuple[str, ...],
    ) -> None:
        step = spec.model_copy(update={"lookback": 1})
        self._layers = step_layers(model, step, roles, frequency)
        self._roles, self._text, self._lookback = roles, text, spec.lookback
        self.state = state_shapes(self._layers, spec.lookback, len(roles.targets))
        self._recurrent = [
            _whole(self._layers[recurrent(index)]) for index in range(depth(self._layers))
        ]

    def init(self, streams: int) -> State:
        """The state before the first step: by state tensor, float32 zeros [streams, ...]."""
        return {name: tf.zeros((streams, *shape)) for name, shape in self.state.items()}

    def read(
        self,
        columns: Mapping[str, Tensor],
        state: State,
        *,
        streams: int,
        steps: int,
        training: bool = False,
    ) -> tuple[dict[str, Tensor], State]:
        """The forecasts after each of the next steps, and the state after the last of them.

        Args:
            columns: By input column, one row for every step, those of a stream together, in
                natural units: targets and past covariates float32 [streams * steps, 1]; future
                covariates [streams * steps, 1 + gap + horizon], from the step itself on; static
                covariates [streams * steps]; `time` int64 [streams * steps], Unix seconds.
            state: Before the first of these steps, from `init` or from the call before.
            streams: Streams side by side.
            steps: Steps of each.
            training: Whether dropout is on.

        Returns:
            By target, float32 [streams * steps, horizon]; and the new state.
        """
        new: State = {}

        def encode(values: Tensor) -> Tensor:
            value = self._by_stream(values[:, 0, :], streams, steps)
            for index, layer in enumerate(self._recurrent):
                names, before = layer_state(state, self.state, index)
                value, *after = layer(value, initial_state=before, training=training)
                for name, tensor in zip(names, after, strict=True):
                    kept = tf.cast(tensor, tf.float32)
                    new[name] = tf.reshape(kept, (streams, *self.state[name]))
            return self._by_origin(value, streams, steps)

        def window(normalised: Tensor) -> Tensor:
            if SHORTCUT not in self._layers:
                return normalised
            targets = len(self._roles.targets)
            read = tf.reshape(normalised, (streams, steps, targets))
            known = tf.concat([state["state_shortcut"], read], axis=1)
            new["state_shortcut"] = known[:, steps:]
            last = tf.range(1, steps + 1)[:, None] + tf.range(self._lookback)[None, :]
            windows = tf.gather(known, last, axis=1)
            return tf.reshape(windows, (streams * steps, self._lookback, targets))

        forecasts = connect(
            self._layers, columns, self._roles, self._text, encode=encode, shortcut_window=window
        )
        return forecasts, new

    def _by_stream(self, values: Tensor, streams: int, steps: int) -> Tensor:
        """[streams * steps (* targets), features] as [streams (* targets), steps, features]."""
        features = values.shape[-1]
        if BY_TARGET not in self._layers:
            return tf.reshape(values, (streams, steps, features))
        targets = len(self._roles.targets)
        parts = tf.reshape(values, (streams, steps, targets, features))
        return tf.reshape(tf.transpose(parts, (0, 2, 1, 3)), (streams * targets, steps, features))

    def _by_origin(self, values: Tensor, streams: int, steps: int) -> Tensor:
        """The way back from `_by_stream`."""
        features = values.shape[-1]
        if BY_TARGET not in self._layers:
            return tf.reshape(values, (streams * steps, features))
        targets = len(self._roles.targets)
        parts = tf.reshape(values, (streams, targets, steps, features))
        return tf.reshape(tf.transpose(parts, (0, 2, 1, 3)), (-1, features))


def _whole(layer: Any) -> Any:
    """A layer around the cell of `layer`, its weights and its random masks, with all it knows.

    The trained layer answers what its place in the network needs; this one gives the output of
    every step and the state after the last.
    """
    config = {**layer.get_config(), "return_sequences": True, "return_state": True}
    twin = type(layer).from_config({**config, "name": f"{layer.name}_whole"})
    twin.cell = layer.cell
    if hasattr(layer, "use_cudnn"):
        twin.use_cudnn = layer.use_cudnn  # Keras leaves it out of the configuration.
    if isinstance(layer, Fused):
        twin.fused, twin.shards, twin.compiled = layer.fused, layer.shards, layer.compiled
    return twin
