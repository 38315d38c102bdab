"""Layers of a sequence network that know where each sequence ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import tensorflow as tf
from typing_extensions import override

from models.sequences.text import UNKNOWN_ID

Tensor = Any
Pooling = Literal["last", "mean", "max"]


class _Float32Layer(keras.Layer):
    """A layer that ignores the mixed-precision policy, and any mask that Keras carries along."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})
        self.supports_masking = True

    @override
    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        return None


@keras.saving.register_keras_serializable(package="elman")
class RealSteps(_Float32Layer):
    """Which steps are no padding, bool [batch, time].

    Inputs: any tensor [batch, time, ...], and length int32 [batch].
    """

    @override
    def call(self, steps: Tensor, length: Tensor) -> Tensor:
        return tf.sequence_mask(length, maxlen=tf.shape(steps)[1])

    @override
    def compute_output_spec(self, steps: Any, length: Any) -> keras.KerasTensor:
        return keras.KerasTensor(tuple(steps.shape[:2]), dtype="bool")


@keras.saving.register_keras_serializable(package="elman")
class KnownSymbols(keras.layers.Embedding):
    """Vectors of symbols, float32 [batch, time, width]; ids past its table are unknown symbols."""

    @override
    def call(self, inputs: Tensor) -> Tensor:
        return super().call(tf.where(inputs < self.input_dim, inputs, UNKNOWN_ID))


@keras.saving.register_keras_serializable(package="elman")
class ScaledNumbers(_Float32Layer):
    """[batch, time, columns], each column minus its `mean` and divided by its `scale`, float32."""

    def __init__(self, mean: Sequence[float], scale: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = [float(m) for m in mean]
        self.scale = [float(s) for s in scale]

    @override
    def call(self, numbers: Tensor) -> Tensor:
        return (numbers - tf.constant(self.mean)) / tf.constant(self.scale)

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "scale": self.scale}


@keras.saving.register_keras_serializable(package="elman")
class SymbolVectors(keras.initializers.Initializer):
    """Vectors [symbols, width] with a length of about 1; those of ids 0 and 1 are zero.

    0 is padding and has no effect anyway. 1 is the unknown symbol: where the train split has none,
    nothing is learned of it, and zero, the centre of the others, says the least.

    Args:
        seed: Equal seeds give equal vectors.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    @override
    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        width = shape[-1]
        normal = keras.random.normal(shape, stddev=width**-0.5, dtype=dtype, seed=self.seed)
        known = keras.ops.cast(keras.ops.arange(shape[0]) > 1, normal.dtype)
        return normal * known[:, None]

    @override
    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


@keras.saving.register_keras_serializable(package="elman")
class Pool(_Float32Layer):
    """One vector [batch, features] of those of all real steps.

    Inputs: values [batch, time, features], and real, bool [batch, time], of which at least the
    first of each row is true.

    Args:
        kind: `last` real step, `mean` over real steps, or `max`, the largest of each feature.
    """

    def __init__(self, kind: Pooling, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    @override
    def call(self, values: Tensor, real: Tensor) -> Tensor:
        values = tf.cast(values, tf.float32)
        if self.kind == "max":
            return tf.reduce_max(tf.where(real[..., None], values, values.dtype.min), axis=1)
        steps = tf.reduce_sum(tf.cast(real, tf.int32), axis=1)
        if self.kind == "last":
            return tf.gather(values, steps - 1, axis=1, batch_dims=1)
        kept = tf.where(real[..., None], values, tf.zeros_like(values))
        return tf.reduce_sum(kept, axis=1) / tf.cast(steps, tf.float32)[:, None]

    @override
    def compute_output_spec(self, values: Any, real: Any) -> keras.KerasTensor:
        return keras.KerasTensor((values.shape[0], values.shape[-1]), dtype="float32")

    @override
    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind}
