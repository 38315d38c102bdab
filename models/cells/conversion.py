"""Networks with our recurrent layers as networks with Keras' own, and back: equal weights."""

from __future__ import annotations

from typing import Any

import keras

from models.cells.layers import GRU, LSTM, SimpleRNN

OURS = {cls.__name__: cls for cls in (SimpleRNN, LSTM, GRU)}
KERAS = "keras.layers"


def with_keras_layers(model: keras.Model) -> keras.Model:
    """A copy of `model` that needs nothing but Keras.

    To read a `.keras` file of Elman where Elman is not installed, save this copy instead:

        model = keras.saving.load_model("model.keras")
        with_keras_layers(model).save("plain.keras")

    Args:
        model: A functional or sequential model; it may hold layers of other kinds.
    """
    return _copy(model, _to_keras)


def with_fused_layers(model: keras.Model) -> keras.Model:
    """A copy of `model` in which each SimpleRNN, LSTM and GRU of Keras is one of ours.

    Args:
        model: A functional or sequential model, for instance from a `.keras` file.
    """
    return _copy(model, _to_ours)


def _copy(model: keras.Model, rename: Any) -> keras.Model:
    config = rename(keras.saving.serialize_keras_object(model))
    # No compile: losses and optimizers are not part of the copy.
    config.pop("compile_config", None)
    copy: keras.Model = keras.saving.deserialize_keras_object(config)
    copy.set_weights(model.get_weights())
    return copy


def _to_keras(config: Any) -> Any:
    def named(part: dict[str, Any]) -> dict[str, Any]:
        name = part.get("registered_name")
        for ours, cls in OURS.items():
            if name == keras.saving.get_registered_name(cls):
                return {**part, "module": KERAS, "class_name": ours, "registered_name": None}
        return part

    return _each(config, named)


def _to_ours(config: Any) -> Any:
    def named(part: dict[str, Any]) -> dict[str, Any]:
        cls = OURS.get(str(part.get("class_name")))
        if cls is None or part.get("module") != KERAS:
            return part
        return {
            **part,
            "module": cls.__module__,
            "registered_name": keras.saving.get_registered_name(cls),
        }

    return _each(config, named)


def _each(config: Any, named: Any) -> Any:
    """`config` with `named` applied to every dict in it."""
    if isinstance(config, dict):
        return named({key: _each(value, named) for key, value in config.items()})
    if isinstance(config, (list, tuple)):
        return type(config)(_each(value, named) for value in config)
    return config
