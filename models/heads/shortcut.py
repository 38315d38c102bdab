"""The shortcut: from the inputs straight to the output, past the recurrent layers."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

Tensor = Any


@keras.saving.register_keras_serializable(package="elman")
class Shortcut(keras.Layer):
    """A linear forecast from the lookback of each target, added to what the recurrent part says.

    The recurrent layers then have to learn only what a linear autoregression misses; the
    autoregressive component of Lai et al., 2018, "Modeling long- and short-term temporal patterns
    with deep neural networks" (LSTNet). It starts at zero, so that at first it changes nothing.
    Each target has weights of its own, no target reads another one.

    Input: normalised targets [batch, lookback, targets].
    Output: float32 [batch, horizon, targets]. Always float32, whatever the policy.

    Args:
        horizon: Steps to forecast.
    """

    def __init__(self, horizon: int, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})
        self.horizon = horizon

    @override
    def build(self, shape: Any) -> None:
        _, lookback, targets = shape
        self.kernel = self.add_weight(
            name="kernel", shape=(targets, lookback, self.horizon), initializer="zeros"
        )
        self.built = True

    @override
    def call(self, values: Tensor) -> Tensor:
        return tf.einsum("blt,tlh->bht", tf.cast(values, tf.float32), self.kernel)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "horizon": self.horizon}
