"""`export_forecaster`: a SavedModel that needs no Python of ours and no GPU."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models.export.metadata import FILE, describe
from models.export.portable import all_layers, portable_copy
from models.export.warmup import write_warmup
from models.roles import Roles
from models.windows.spec import WindowSpec

Tensor = Any


def export_forecaster(
    model: keras.Model,
    folder: Path,
    *,
    spec: WindowSpec,
    roles: Roles,
    frequency: str,
    metadata: Mapping[str, Any],
) -> None:
    """Writes `model` as a SavedModel into `folder`, which appears only when it is complete.

    Signatures: `serving_default` takes one tensor for each input column, by the names of
    `models.export.names`, and returns one float32 [batch, horizon] for each target;
    `serve_examples` takes `examples`, serialized tf.Example string [batch], whose features have the
    same names (float lists; `time` an int64 list; text a bytes list). The graph holds no
    cuDNN operation and no optimizer state; only the batch size is open. `model` is not changed.

    Beside the graph: `assets.extra/elman.json` (see `models.export.metadata.describe`) and
    `assets.extra/tf_serving_warmup_requests`.

    Args:
        model: As `build_forecaster` made it, trained.
        folder: Where the SavedModel goes; replaced if it exists.
        spec: The model's window.
        roles: The model's columns.
        frequency: Step of the series, a pandas offset alias.
        metadata: Further keys for `elman.json`: config digest, units, train range, metrics, run
            ids.

    Raises:
        BadInputError: If columns collide in their names, or `metadata` holds a key of ours.
        FailedRunError: If the stubs of TensorFlow Serving are not installed.
    """
    described = describe(spec, roles, frequency, text_inputs(model), metadata)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        servable = _Servable(portable_copy(model), described)
        tf.saved_model.save(
            servable,
            str(staging),
            signatures={
                "serving_default": servable.forecast_signature(),
                "serve_examples": servable.examples_signature(),
            },
        )
        (staging / FILE).parent.mkdir(exist_ok=True)
        write_warmup(staging / FILE.parent, described)
        text = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (staging / FILE).write_text(text, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def text_inputs(model: keras.Model) -> tuple[str, ...]:
    """The input columns of `model` that are strings."""
    return tuple(name for name, tensor in model.input.items() if tensor.dtype == "string")


class _Servable(tf.Module):
    """Owns the variables and tables that the signatures capture; no Keras object is saved."""

    def __init__(self, model: keras.Model, described: Mapping[str, Any]) -> None:
        super().__init__(name="forecaster")
        self._variables = [weight.value for weight in model.weights]
        self._tables = [
            layer.lookup_table for layer in all_layers(model) if hasattr(layer, "lookup_table")
        ]
        shapes, types = described["input_shapes"], described["input_types"]
        inputs: dict[str, str] = described["inputs"]
        outputs: dict[str, str] = described["outputs"]
        # Plain dicts as attributes would be tracked and saved; closures are not.
        columns = {
            inputs[column]: (column, tuple(shapes[column]), tf.as_dtype(types[column]))
            for column in inputs
        }

        def forecast(**tensors: Tensor) -> dict[str, Tensor]:
            feed = {column: tensors[name] for name, (column, _, _) in columns.items()}
            forecasts = model(feed, training=False)
            return {outputs[target]: tf.identity(forecasts[target]) for target in outputs}

        def serve_examples(examples: Tensor) -> dict[str, Tensor]:
            features = {
                name: tf.io.FixedLenFeature(shape, dtype)
                for name, (_, shape, dtype) in columns.items()
            }
            return forecast(**tf.io.parse_example(examples, features))

        self._specs: Callable[[], Any] = lambda: {
            name: tf.TensorSpec((None, *shape), dtype, name=name)
            for name, (_, shape, dtype) in columns.items()
        }
        self._forecast: Callable[[], Any] = lambda: tf.function(forecast, autograph=False)
        self._examples: Callable[[], Any] = lambda: tf.function(serve_examples, autograph=False)

    def forecast_signature(self) -> Any:
        return self._forecast().get_concrete_function(**self._specs())

    def examples_signature(self) -> Any:
        return self._examples().get_concrete_function(
            examples=tf.TensorSpec((None,), tf.string, name="examples")
        )
