"""A pushed model as an MLflow model: SavedModel, loader, signature, example. Never a pickle."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from components.tracking import library
from models.errors import FailedRunError
from models.export.metadata import read_metadata
from models.sequences.spec import LENGTH

LOADER = Path(__file__).with_name("pyfunc_loader.py")
SEQUENCE_LOADER = Path(__file__).with_name("sequence_pyfunc_loader.py")
LIBRARIES = ("mlflow", "tensorflow", "numpy", "pandas")


def save_package(saved_model: Path, folder: Path, package: Any, example: Path | None) -> None:
    """Writes the MLflow model of `saved_model` into the new folder `folder`.

    Args:
        saved_model: A SavedModel with Elman's metadata.
        folder: Does not exist yet; its parent does, and is used for the loader.
        package: `mlflow.models.Model` that the files describe.
        example: `verification.npz` of the same model: its first window is the input example.

    Raises:
        BadInputError: If the SavedModel has no metadata of ours.
    """
    library.load()
    from mlflow import pyfunc

    about = read_metadata(saved_model)
    source = LOADER if is_forecaster(about) else SEQUENCE_LOADER
    # Two versions of a model may be loaded in one process: a module of another content must have
    # another name, or the second would be served by the code of the first.
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:8]
    loader = folder.parent / f"elman_{kind(about)}_{digest}.py"
    shutil.copyfile(source, loader)
    data = folder.parent / "saved_model"
    shutil.copytree(saved_model, data)
    with warnings.catch_warnings():
        # A model that is registered late, after a kill, has no example any more.
        warnings.filterwarnings("ignore", message=".*input example was not provided.*")
        pyfunc.save_model(
            path=str(folder),
            loader_module=loader.stem,
            data_path=str(data),
            code_paths=[str(loader)],
            mlflow_model=package,
            signature=signature(about),
            input_example=None if example is None else first_window(example, about),
            pip_requirements=[f"{name}=={version(name)}" for name in LIBRARIES],
        )
    for leftover in folder.rglob("__pycache__"):
        shutil.rmtree(leftover)


def is_forecaster(about: Mapping[str, Any]) -> bool:
    """Whether a model of that metadata forecasts series, rather than labels sequences."""
    return bool(about.get("task", "forecast") == "forecast")


def kind(about: Mapping[str, Any]) -> str:
    """What MLflow calls a model of that metadata."""
    return "forecaster" if is_forecaster(about) else "sequence_model"


def signature(about: dict[str, Any]) -> Any:
    """The MLflow signature of the model that `about` (its metadata) describes."""
    library.load()
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    # double, not float: a list of Python floats is one, and MLflow converts upwards only.
    kinds = {"float32": DataType.double, "int64": DataType.long, "string": DataType.string}
    forecasts, inputs = is_forecaster(about), []
    for column in about["inputs"]:
        if column == LENGTH and not forecasts:
            continue  # that of the lists
        kind = kinds.get(about["input_types"][column])
        if kind is None:
            raise FailedRunError(
                f"the model input {column!r} is of type {about['input_types'][column]}, which "
                f"cannot be registered; expected one of {sorted(kinds)}"
            )
        inputs.append(ColSpec(Array(kind) if about["input_shapes"][column] else kind, column))
    outputs = [ColSpec(Array(DataType.double), target) for target in about["outputs"]]
    if not forecasts:
        probabilities, label = Array(DataType.double), DataType.string
        if about["task"] != "classify":
            probabilities, label = Array(probabilities), Array(label)
        outputs = [ColSpec(label, "label"), ColSpec(probabilities, "probabilities")]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def first_window(verification: Path, about: dict[str, Any]) -> Any:
    """A DataFrame of one row: the first window or sequence in `verification.npz`."""
    import pandas as pd

    with np.load(verification, allow_pickle=False) as arrays:
        row = {}
        for column, name in about["inputs"].items():
            value = arrays[f"input.{name}"][0]
            if column == LENGTH and not is_forecaster(about):
                continue
            padded = about["input_shapes"][column] == [-1]
            row[column] = (value[: int(arrays["steps"][0])] if padded else value).tolist()
    return pd.DataFrame([row])
