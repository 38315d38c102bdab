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

from models.export.engine_files import write_engine_file
from models.export.engines import EngineName
from models.export.metadata import FILE, describe, description
from models.export.portable import portable_copy
from models.export.servable import Servable
from models.export.streaming import stepper_of
from models.export.warmup import Requests, window_requests, write_warmup
from models.roles import Roles
from models.windows.spec import WindowSpec


def export_forecaster(
    model: keras.Model,
    folder: Path,
    *,
    spec: WindowSpec,
    roles: Roles,
    frequency: str,
    metadata: Mapping[str, Any],
    engine: EngineName = "tensorflow",
) -> None:
    """Writes `model` as a SavedModel into `folder`, which appears only when it is complete.

    Signatures: `serving_default` takes one tensor for each input column, by the names of
    `models.export.names`, and returns one float32 [batch, horizon] for each target;
    `serve_examples` takes `examples`, serialized tf.Example string [batch], whose features have the
    same names (float lists; `time` an int64 list; text a bytes list). `describe` takes `rows`,
    int32 [rows] of any values or a scalar, and returns `metadata`, as many strings: the JSON of
    `elman.json` but for the run, for clients that see the model only through a server. Where the
    network can be read step by step, `stream_init` and `stream_step` are those of
    `models.export.streaming.Stepper`. The graph holds no cuDNN operation and no optimizer state;
    only the batch size is open. `model` is not changed.

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
        engine: Its file is written beside the SavedModel: `model.onnx` or `step.tflite`.

    Raises:
        BadInputError: If columns collide in their names, `metadata` holds a key of ours, or the
            model cannot be written for `engine`.
        FailedRunError: If the stubs of TensorFlow Serving are not installed.
    """
    copy, text = portable_copy(model), text_inputs(model)
    stepper, reason = stepper_of(copy, spec, roles, frequency, text)
    streaming = None if stepper is None else stepper.described()
    described = describe(
        spec, roles, frequency, text, metadata, streaming=streaming, refusal=reason
    )
    save_servable(
        Servable(copy, described, description(described), stepper),
        described,
        folder,
        beside=lambda place: write_engine_file(engine, copy, stepper, described, place),
    )


def save_servable(
    servable: Any,
    described: Mapping[str, Any],
    folder: Path,
    requests: Requests | None = None,
    beside: Callable[[Path], None] | None = None,
) -> None:
    """Saves a module with its signatures, its metadata and its warm-up requests.

    Args:
        servable: A `tf.Module` whose `signatures()` gives the concrete functions by name.
        described: Its metadata, see `models.export.metadata.describe`.
        folder: Where the SavedModel goes; replaced if it exists. It appears when it is complete.
        requests: To warm up with; None: those of a forecaster of windows.
        beside: Writes further files into the folder it is given.

    Raises:
        FailedRunError: If the stubs of TensorFlow Serving are not installed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        written = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        tf.saved_model.save(servable, str(staging), signatures=servable.signatures())
        (staging / FILE).parent.mkdir(exist_ok=True)
        write_warmup(staging / FILE.parent, requests or window_requests(described))
        (staging / FILE).write_text(written, encoding="utf-8")
        if beside is not None:
            beside(staging)
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def text_inputs(model: keras.Model) -> tuple[str, ...]:
    """The input columns of `model` that are strings."""
    return tuple(name for name, tensor in model.input.items() if tensor.dtype == "string")
