"""Calendar features of every step of a window, computed from the time of its origin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from models.features.cycles import calendar_parts, moved
from models.features.step import Step

Tensor = Any


def step_times(origin: Tensor, offsets: Tensor, step: Step) -> Tensor:
    """Times of the steps `offsets` away from `origin`.

    Args:
        origin: int64 [batch], Unix seconds of a time on the grid of `step`.
        offsets: int64 [steps], in steps; negative in the past.
        step: The step of the series.

    Returns:
        int64 [batch, steps], Unix seconds. Months and business days keep the time of day.
    """
    return moved(origin[:, None], offsets[None, :], step)


def calendar_values(time: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Calendar features of int64 Unix seconds (UTC), each as (value, phase).

    Values are int64, as `calendar_parts` counts. A phase is the float32 share of the cycle that
    has passed, in [0, 1).
    """

    def share(part: Tensor, whole: Tensor | int) -> Tensor:
        return tf.cast(part, tf.float32) / tf.cast(whole, tf.float32)

    parts = calendar_parts(time).items()
    return {name: (value, share(part, whole)) for name, (value, part, whole) in parts}


@keras.saving.register_keras_serializable(package="elman")
class Calendar(keras.Layer):
    """Sine and cosine of the phase of each calendar feature at every step of a window.

    Two coordinates on the circle keep neighbours near across the end of a cycle (Fisher, 1993,
    "Statistical Analysis of Circular Data"); they are the first harmonic of the Fourier terms of
    Harvey and Shephard, 1993, "Structural time series models".

    Input int64 [batch], Unix seconds of the forecast origin; output float32
    [batch, past + future, 2 * features]: the steps `1 - past .. future` around the origin.

    Args:
        features: Names among those of `calendar_values`.
        frequency: Step of the series, a pandas offset alias.
        past: Steps up to the origin, the origin included.
        future: Steps after the origin.

    Raises:
        BadInputError: If the steps of `frequency` cannot be computed.
    """

    def __init__(
        self, features: Sequence[str], frequency: str, past: int, future: int, **kwargs: Any
    ) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})
        self.features = list(features)
        self.frequency = frequency
        self.past = past
        self.future = future
        self.step = Step.parse(frequency)

    @override
    def call(self, time: Tensor) -> Tensor:
        offsets = tf.range(1 - self.past, self.future + 1, dtype=tf.int64)
        values = calendar_values(step_times(time, offsets, self.step))
        angles = [2 * math.pi * values[name][1] for name in self.features]
        return tf.stack([f(a) for a in angles for f in (tf.sin, tf.cos)], axis=-1)

    @override
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "frequency": self.frequency,
            "past": self.past,
            "future": self.future,
        }
