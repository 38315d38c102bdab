"""The folder of a Model artifact: complete, or not there; and what is recorded of a training."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.tracking.recorder import Recorder
from components.train.figures import figures
from models.errors import BadInputError
from models.training.config import FittingConfig
from models.training.history import TrainingHistory

SERVING = "Format-Serving"
"""Where TFX looks for the SavedModel of a Model artifact."""


@dataclass(frozen=True)
class TrainResult:
    """What a training left.

    Attributes:
        folder: Of the Model artifact.
        saved_model: The SavedModel in it.
        history: The course of the training.
    """

    folder: Path
    saved_model: Path
    history: TrainingHistory


def require_unused(out: Path) -> None:
    """Refuses a folder with something in it.

    Raises:
        BadInputError: If that is so.
    """
    if out.exists() and any(out.iterdir()):
        raise BadInputError(f"{out} is not empty; give the model a folder of its own")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of `out` by one rename once the block is done.

    A process that is killed inside the block leaves nothing in `out`.

    Args:
        out: Missing or empty.
    """
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    yield staging
    _sync(staging)
    staging.replace(out)


def report(
    recorder: Recorder,
    history: TrainingHistory,
    config: FittingConfig,
    unit: str,
    history_file: Path,
) -> None:
    """Records what a training came to.

    Args:
        recorder: Hears parameters, metrics, tags, figures and the file.
        history: Of a finished training.
        config: What was asked for.
        unit: Of the loss, for its figure.
        history_file: The history as it was written.
    """
    recorder.params(
        {
            "parameters": history.parameters,
            "train_windows": history.train_windows,
            **{f"execution.{name}": value for name, value in history.execution.items()},
        }
    )
    recorder.metrics(
        {
            "best_epoch": history.best_epoch,
            "best_val_loss": history.best_val_loss,
            "epochs_run": history.epochs_run,
            "train_seconds": history.seconds,
            "resumed_after_epoch": history.resumed_after,
        }
    )
    recorder.tags({"elman.train.stopped": history.stopped})
    for path, figure in figures(history, config, unit):
        recorder.figure(figure, path)
    recorder.file(history_file)


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
