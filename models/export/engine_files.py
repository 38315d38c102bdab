"""The files of other engines, written beside a SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from models.errors import BadInputError
from models.export.engines import EngineName, require_packages
from models.export.streaming import Stepper
from models.network.config import ModelConfig
from models.network.engines import engine_refusal


def require_engine(engine: EngineName, model: ModelConfig) -> None:
    """Refuses what could not be exported in the end, before anything is trained.

    Raises:
        BadInputError: If a package is missing, or the engine can run nothing of the network.
    """
    require_packages(engine)
    reason = engine_refusal(engine, model)
    if reason is not None:
        raise BadInputError(f"serving.engine: received {engine}, {reason}")


def write_engine_file(
    engine: EngineName,
    model: keras.Model,
    stepper: Stepper | None,
    described: Mapping[str, Any],
    folder: Path,
) -> None:
    """Writes the file that `engine` runs into the folder of the SavedModel; TensorFlow needs none.

    Args:
        engine: The engine.
        model: The network, portable.
        stepper: The network step by step; None if it cannot be read so.
        described: Its metadata, see `models.export.metadata.describe`.
        folder: Of the SavedModel.

    Raises:
        BadInputError: If a package is missing, or the network cannot be written for the engine.
        FailedRunError: If TensorFlow's converter cannot write the step.
    """
    if engine == "onnx":
        from models.export.onnx.export import write_onnx

        write_onnx(model, described, folder)
    elif engine == "litert":
        from models.export.litert.export import write_step

        if stepper is None:
            raise BadInputError(
                f"serving.engine: litert runs single steps: {described['streaming_refusal']}"
            )
        write_step(stepper, described, folder)
