"""`write_step`: the signature `stream_step` of a forecaster as `step.tflite`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.errors import FailedRunError
from models.export.engines import STEP_FILE
from models.export.litert.layers import replacements
from models.export.step_signature import step_signature
from models.export.streaming import Stepper


def write_step(stepper: Stepper, described: Mapping[str, Any], folder: Path) -> None:
    """Writes `step.tflite` into `folder`.

    Inputs and outputs are those of `stream_step`, by the same names, as the signature
    `serving_default` of the file; the number of rows is open. It holds LiteRT's own operations
    only, and the weights in float32.

    Args:
        stepper: The network step by step, its layers in float32.
        described: Its metadata, see `models.export.metadata.describe`.
        folder: Of the SavedModel.

    Raises:
        FailedRunError: If TensorFlow's converter finds no operation of LiteRT for one of the graph.
    """
    owner = tf.Module()
    owner.kept = [
        weight.value
        for layer in stepper.layers.values()
        for weight in getattr(layer, "weights", ())
    ]
    stepper = stepper.with_layers(replacements(stepper.layers))
    step, specs = step_signature(stepper, described["inputs"], described["outputs"])
    owner.step = tf.function(step, autograph=False)
    traced = owner.step.get_concrete_function(**specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], owner)
    try:
        written = converter.convert()
    except Exception as error:
        last = str(error).strip().splitlines()[:1]
        raise FailedRunError(
            f"the step of this model cannot be converted to LiteRT ({' '.join(last)}); use "
            "serving.engine: tensorflow"
        ) from error
    (folder / STEP_FILE).write_bytes(written)
