"""Activations whose slope follows from their value, so that nothing else has to be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

Tensor = Any


@dataclass(frozen=True)
class Nonlinearity:
    """An activation.

    Attributes:
        apply: The function.
        back: From its value and the gradient by it, the gradient by its argument.
    """

    apply: Callable[[Tensor], Tensor]
    back: Callable[[Tensor, Tensor], Tensor]


TANH = Nonlinearity(tf.tanh, lambda y, dy: tf.raw_ops.TanhGrad(y=y, dy=dy))
SIGMOID = Nonlinearity(tf.sigmoid, lambda y, dy: tf.raw_ops.SigmoidGrad(y=y, dy=dy))
RELU = Nonlinearity(tf.nn.relu, lambda y, dy: tf.raw_ops.ReluGrad(gradients=dy, features=y))
LINEAR = Nonlinearity(tf.identity, lambda _, dy: dy)


def nonlinearity(activation: Any) -> Nonlinearity | None:
    """That of a Keras activation function; None for one whose slope its value does not tell."""
    known = {
        keras.activations.tanh: TANH,
        keras.activations.sigmoid: SIGMOID,
        keras.activations.relu: RELU,
        keras.activations.linear: LINEAR,
    }
    return known.get(activation)
