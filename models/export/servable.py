"""`Servable`: what is saved of a forecaster, with its signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from models.export.portable import all_layers
from models.export.step_signature import step_signature
from models.export.streaming import Stepper, row_count

Tensor = Any
MOST_DESCRIPTIONS = 1_024
"""Most copies of its description that a model gives in one call."""


class Servable(tf.Module):
    """Owns the variables and tables that the signatures capture; no Keras object is saved.

    Args:
        model: The network, portable.
        described: Its metadata, see `models.export.metadata.describe`.
        text: What the signature `describe` answers.
        stepper: The network step by step; None if it cannot be read so.
    """

    def __init__(
        self,
        model: keras.Model,
        described: Mapping[str, Any],
        text: str,
        stepper: Stepper | None,
    ) -> None:
        super().__init__(name="forecaster")
        self._variables = [weight.value for weight in model.weights]
        self._tables = [
            layer.lookup_table for layer in all_layers(model) if hasattr(layer, "lookup_table")
        ]
        inputs: dict[str, str] = described["inputs"]
        # Plain dicts and models as attributes would be tracked and saved; closures are not.
        made = {
            **window_signatures(lambda feed: model(feed, training=False), described),
            "describe": describe_signature(text),
        }
        if stepper is not None:
            made |= _stream_signatures(stepper, inputs, described["outputs"])
        self.signatures: Callable[[], dict[str, Any]] = lambda: made


def window_signatures(
    call: Callable[[dict[str, Tensor]], Mapping[str, Tensor]], described: Mapping[str, Any]
) -> dict[str, Any]:
    """The signatures `serving_default` and `serve_examples` of a forecaster of windows.

    Args:
        call: By input column, tensors in; by target, float32 [batch, horizon] out.
        described: The forecaster's metadata.
    """
    shapes, types, outputs = (described[k] for k in ("input_shapes", "input_types", "outputs"))
    columns = {
        name: (column, tuple(shapes[column]), tf.as_dtype(types[column]))
        for column, name in described["inputs"].items()
    }

    def forecast(**tensors: Tensor) -> dict[str, Tensor]:
        feed = {column: tensors[name] for name, (column, _, _) in columns.items()}
        forecasts = call(feed)
        return {outputs[target]: tf.identity(forecasts[target]) for target in outputs}

    def serve_examples(examples: Tensor) -> dict[str, Tensor]:
        features = {
            name: tf.io.FixedLenFeature(shape, dtype) for name, (_, shape, dtype) in columns.items()
        }
        return forecast(**tf.io.parse_example(examples, features))

    specs = {
        name: tf.TensorSpec((None, *shape), dtype, name=name)
        for name, (_, shape, dtype) in columns.items()
    }
    examples = tf.TensorSpec((None,), tf.string, name="examples")
    return {
        "serving_default": traced(forecast, specs),
        "serve_examples": traced(serve_examples, {"examples": examples}),
    }


def describe_signature(text: str) -> Any:
    """The signature `describe`, which answers `text` as many times as it is asked for."""

    def describe(rows: Tensor) -> dict[str, Tensor]:
        count = row_count(rows, MOST_DESCRIPTIONS)
        shape = tf.cond(
            tf.equal(tf.rank(rows), 0), lambda: tf.zeros([0], tf.int32), lambda: count[None]
        )
        return {"metadata": tf.fill(shape, tf.constant(text))}

    return traced(describe, {"rows": tf.TensorSpec(None, tf.int32, name="rows")})


def _stream_signatures(
    stepper: Stepper, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> dict[str, Any]:
    def stream_init(batch: Tensor) -> dict[str, Tensor]:
        return stepper.init(batch)

    stream_step, specs = step_signature(stepper, inputs, outputs)
    batch = tf.TensorSpec(None, tf.int32, name="batch")
    return {
        "stream_init": traced(stream_init, {"batch": batch}),
        "stream_step": traced(stream_step, specs),
    }


def traced(function: Callable[..., Any], specs: Mapping[str, Any]) -> Any:
    """`function` as a signature whose inputs are `specs`."""
    return tf.function(function, autograph=False).get_concrete_function(**specs)
