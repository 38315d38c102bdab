"""Layers that only move values: slices, repetition over steps, and targets as a batch axis."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

Tensor = Any


class _Float32Layer(keras.Layer):
    """Passes float32 on unchanged under a mixed-precision policy; the next layer casts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})


@keras.saving.register_keras_serializable(package="elman")
class Steps(_Float32Layer):
    """The steps `start .. stop - 1` of [batch, steps, features]."""

    def __init__(self, start: int, stop: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.stop = stop

    @override
    def call(self, values: Tensor) -> Tensor:
        return values[:, self.start : self.stop]

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "start": self.start, "stop": self.stop}


@keras.saving.register_keras_serializable(package="elman")
class AtEveryStep(_Float32Layer):
    """[batch, features] repeated to [batch, steps, features]."""

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    @override
    def call(self, values: Tensor) -> Tensor:
        return tf.repeat(values[:, None, :], self.steps, axis=1)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "steps": self.steps}


@keras.saving.register_keras_serializable(package="elman")
class TargetsToBatch(_Float32Layer):
    """[batch, steps, targets] to [batch * targets, steps, 1], targets of one window together."""

    @override
    def call(self, values: Tensor) -> Tensor:
        steps = values.shape[1]
        return tf.reshape(tf.transpose(values, (0, 2, 1)), (-1, steps, 1))


@keras.saving.register_keras_serializable(package="elman")
class RepeatForTargets(_Float32Layer):
    """[batch, ...] to [batch * targets, ...], in the order of `TargetsToBatch`."""

    def __init__(self, targets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets = targets

    @override
    def call(self, values: Tensor) -> Tensor:
        return tf.repeat(values, self.targets, axis=0)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "targets": self.targets}


@keras.saving.register_keras_serializable(package="elman")
class BatchToTargets(_Float32Layer):
    """[batch * targets, steps, 1] back to [batch, steps, targets]."""

    def __init__(self, targets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets = targets

    @override
    def call(self, values: Tensor) -> Tensor:
        steps = values.shape[1]
        return tf.transpose(tf.reshape(values, (-1, self.targets, steps)), (0, 2, 1))

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "targets": self.targets}


@keras.saving.register_keras_serializable(package="elman")
class ByTarget(_Float32Layer):
    """[batch, horizon, targets] as a list of [batch, horizon], one for each target.

    One operation for all: a slice for each would have a gradient as large as all of them.
    """

    @override
    def call(self, forecast: Tensor) -> list[Tensor]:
        return tf.unstack(forecast, axis=2)
