"""The direct multi-horizon head: every step of the horizon at once."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

Tensor = Any


@keras.saving.register_keras_serializable(package="elman")
class DirectHead(keras.Layer):
    """Forecasts the whole horizon from one context vector, without feeding forecasts back.

    Each step and target has its own linear read-out of the context (direct strategy: Ben Taieb et
    al., 2012, "A review and comparison of strategies for multi-step ahead time series
    forecasting"). Where features of the horizon are known, a small network with the same weights
    at every step adds what a step's own features change, given the context (the local part of
    the decoder of Wen et al., 2017, "A multi-horizon quantile recurrent forecaster").

    Inputs: context [batch, features] and, optionally, future [batch, horizon, features].
    Output: float32 [batch, horizon, targets]. Always float32, whatever the policy.

    Args:
        horizon: Steps to forecast.
        targets: Values at each step.
        hidden: Width of the per-step network.
        seed: Of the initial weights.
    """

    def __init__(self, horizon: int, targets: int, hidden: int, seed: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})
        self.horizon = horizon
        self.targets = targets
        self.hidden = hidden
        self.seed = seed

        def dense(units: int, index: int, name: str, use_bias: bool = True) -> keras.layers.Dense:
            return keras.layers.Dense(
                units,
                use_bias=use_bias,
                kernel_initializer=keras.initializers.GlorotUniform(seed=seed + index),
                dtype="float32",
                name=name,
            )

        self.read_out = dense(horizon * targets, 0, "read_out")
        self.from_step = dense(hidden, 1, "from_step")
        self.from_context = dense(hidden, 2, "from_context", use_bias=False)
        self.step_out = dense(targets, 3, "step_out", use_bias=False)

    @override
    def build(self, context_shape: Any, future_shape: Any = None) -> None:
        self.read_out.build(context_shape)
        if future_shape is not None:
            self.from_step.build(future_shape)
            self.from_context.build(context_shape)
            self.step_out.build((None, self.horizon, self.hidden))
        self.built = True

    @override
    def call(self, context: Tensor, future: Tensor | None = None) -> Tensor:
        flat = self.read_out(context)
        forecast = tf.reshape(flat, (-1, self.horizon, self.targets))
        if future is None:
            return forecast
        hidden = tf.nn.relu(self.from_step(future) + self.from_context(context)[:, None, :])
        return forecast + self.step_out(hidden)

    @override
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "horizon": self.horizon,
            "targets": self.targets,
            "hidden": self.hidden,
            "seed": self.seed,
        }
