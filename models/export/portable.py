"""A copy of a network that runs the same on every machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf


def portable_copy(model: keras.Model) -> keras.Model:
    """The same network and weights, in float32 throughout and never with cuDNN.

    Keras decides between cuDNN and plain operations when a layer is traced, by whether a GPU is
    listed, and does not keep `use_cudnn` in a layer's configuration: a graph traced where
    there is a GPU would load on a machine without one and fail on the first call. 16-bit
    arithmetic is slow and coarse on CPUs. `model` itself is left as it is.

    Args:
        model: A functional model as `build_forecaster` makes it, or a subclass of `keras.Model`
            made from the same inputs and outputs, compiled or not.
    """
    with warnings.catch_warnings():
        # See build_forecaster: an input layer may not be able to bear its column's name.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        functional = keras.Model(model.input, model.output, name=model.name)
        copy = keras.Model.from_config(_float32(functional.get_config()))
    copy.set_weights(functional.get_weights())
    for layer in all_layers(copy):
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False
    return copy


def all_layers(model: keras.Model) -> list[keras.Layer]:
    """Every layer of `model`, those inside other layers included."""
    return list(model._flatten_layers(include_self=False, recursive=True))


def is_float32(model: keras.Model) -> bool:
    """Whether no layer of `model` computes in fewer bits than float32."""
    return all("16" not in str(layer.compute_dtype) for layer in all_layers(model))


@contextmanager
def exact_float32() -> Iterator[None]:
    """Inside the block, GPUs multiply in float32, not in TensorFloat-32 with its 10-bit mantissa.

    Scores and reference predictions must be those that a CPU server will give.
    """
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _float32(config: Any) -> Any:
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _float32(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_float32(value) for value in config)
    return config
