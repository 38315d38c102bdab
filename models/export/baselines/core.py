"""`BaselineCore`: a fitted baseline as TensorFlow operations on one window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any
LARGEST = float(np.finfo(np.float32).max)


class BaselineCore(tf.Module):
    """Forecasts of a baseline from the raw columns of its windows.

    Constants are `tf.Variable`s that are not trained, so that a SavedModel keeps them beside its
    graph, whose size is limited.
    """

    def __call__(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The forecasts.

        Args:
            columns: By input column of `models.network.inputs.input_specs`, raw values; columns
                that the baseline does not read are passed over.

        Returns:
            By target, float32 [batch, horizon], natural units.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Refusal:
    """Why a baseline cannot be served from one window, in words that follow a colon."""

    reason: str


def constant(values: Any, dtype: tf.DType = tf.float64) -> tf.Variable:
    """A constant that is saved as a variable."""
    return tf.Variable(values, dtype=dtype, trainable=False)


def as_float32(values: Tensor) -> Tensor:
    """As float32, values beyond its range moved to its ends (`models.baselines.protocol.finite`);
    nan, which only a nan in the request can cause, stays nan.
    """
    return tf.cast(tf.clip_by_value(values, -LARGEST, LARGEST), tf.float32)
