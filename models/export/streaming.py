"""A forecaster read one step at a time: the state in, the forecast and the new state out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from models.export.names import signature_names
from models.network.carried import State, depth, layer_state, state_shapes, step_layers
from models.network.config import ModelConfig
from models.network.inputs import TIME, input_specs
from models.network.streaming import streaming_refusal
from models.network.wiring import (
    SHORTCUT,
    connect,
    recurrent,
)
from models.roles import Roles
from models.windows.spec import WindowSpec

Tensor = Any
MOST_ROWS = 65_536
"""Most rows that one call of `stream_init` makes, so that no request can ask for all memory."""


class Stepper:
    """One step of a trained forecaster, through the same layers and wiring as its windows.

    Feeding the steps of a window to a fresh state gives, after the last one, the forecast of the
    window; feeding more goes on with the state where the window would drop its oldest step.

    Attributes:
        state: By state tensor, its shape without the batch axis. `state_<i>_h` is the output of
            recurrent layer `i` and `state_<i>_c` the cell of an LSTM, [units], or
            [targets, units] where the targets share one network; `state_shortcut` holds the
            normalised targets of the last lookback steps, [lookback, targets].
        inputs: By input column of one step, its shape without the batch axis and its dtype.

    Args:
        model: As `build_forecaster` made it; see `stepper_of` for which are refused.
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
        self._depth = depth(self._layers)
        self.state = state_shapes(self._layers, spec.lookback, len(roles.targets))
        self.inputs = {
            column: (_one_step(column, shape, roles), dtype)
            for column, (shape, dtype) in input_specs(step, roles, text).items()
        }

    @property
    def layers(self) -> Mapping[str, Callable[..., Any]]:
        """By name, what is called in the place of each layer."""
        return dict(self._layers)

    def with_layers(self, others: Mapping[str, Callable[..., Any]]) -> Stepper:
        """A copy in which `others` take the place of the layers of their names."""
        twin = copy.copy(self)
        twin._layers = self._layers | dict(others)
        return twin

    def described(self) -> dict[str, Any]:
        """For the metadata: shapes without the batch axis of a step's columns and of the state."""
        return {
            "inputs": {column: list(shape) for column, (shape, _) in self.inputs.items()},
            "state": {name: list(shape) for name, shape in self.state.items()},
        }

    def init(self, batch: Tensor) -> State:
        """The state before the first step, for so many rows.

        Args:
            batch: int32 scalar, the number of rows; or int32 [rows] of any values, so that a
                server that puts requests together along their first axis can do so here too.

        Returns:
            By state tensor, float32 zeros [rows, ...].
        """
        rows = row_count(batch, MOST_ROWS)
        return {
            name: tf.zeros(tf.stack([rows, *shape]), tf.float32)
            for name, shape in self.state.items()
        }

    def step(self, columns: Mapping[str, Tensor], state: State) -> tuple[dict[str, Tensor], State]:
        """The forecast after one more step, and the state after it.

        Args:
            columns: By input column, values in natural units: targets, past and static covariates
                [batch]; future covariates [batch, 1 + gap + horizon], from this step on; `time`
                int64 [batch], Unix seconds of this step.
            state: From `init` or from the step before.

        Returns:
            By target, float32 [batch, horizon]; and the new state.
        """
        new: State = {}
        c = self._roles.covariates
        flat = {*self._roles.targets, *c.past}
        inputs = {n: v[:, None] if n in flat else v for n, v in columns.items()}

        def encode(steps: Tensor) -> Tensor:
            value = steps[:, 0, :]
            for index in range(self._depth):
                cell = self._layers[recurrent(index)].cell
                names, before = layer_state(state, self.state, index)
                value, after = cell(value, before, training=False)
                after = after if isinstance(after, list | tuple) else [after]
                for name, tensor in zip(names, after, strict=True):
                    new[name] = tf.reshape(tensor, (-1, *self.state[name]))
            return value

        def window(normalised: Tensor) -> Tensor:
            if SHORTCUT not in self._layers:
                return normalised
            new["state_shortcut"] = tf.concat([state["state_shortcut"][:, 1:], normalised], axis=1)
            return new["state_shortcut"]

        forecasts = connect(
            self._layers, inputs, self._roles, self._text, encode=encode, shortcut_window=window
        )
        return forecasts, new


def stepper_of(
    model: keras.Model,
    spec: WindowSpec,
    roles: Roles,
    frequency: str,
    text: tuple[str, ...],
) -> tuple[Stepper | None, str | None]:
    """The network step by step, or why it cannot be read so; arguments as those of `Stepper`."""
    layers = {layer.name: layer for layer in model.layers}
    shape = ModelConfig(
        bidirectional=isinstance(layers[recurrent(0)], keras.layers.Bidirectional),
        normalize=layers["elman_normalization"].kind,
    )
    reason = streaming_refusal(shape)
    if reason is not None:
        return None, reason
    stepper = Stepper(model, spec, roles, frequency, text)
    taken = {name.casefold() for name in signature_names(input_specs(spec, roles, text)).values()}
    clash = sorted(taken & set(stepper.state))
    if clash:
        return None, f"a column would be the tensor {clash[0]!r}, which is one of the state"
    return stepper, None


def row_count(rows: Tensor, most: int) -> Tensor:
    """int32 scalar: `rows` itself if it is a scalar, else the number of its elements.

    Raises:
        InvalidArgumentError: When it runs, if that is below 0 or above `most`.
    """
    scalar = tf.equal(tf.rank(rows), 0)
    count = tf.where(scalar, tf.reduce_sum(rows), tf.size(rows))
    within = tf.debugging.Assert(
        tf.logical_and(count >= 0, count <= most),
        [f"the number of rows must be from 0 to {most}, got", count],
    )
    # Before anything of that size is made, not some time beside it.
    with tf.control_dependencies([] if within is None else [within]):
        return tf.identity(count)


def _one_step(column: str, shape: tuple[int, ...], roles: Roles) -> tuple[int, ...]:
    future = column in roles.covariates.future
    return shape if future or column == TIME else ()
