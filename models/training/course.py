"""`Course`: what a training reads, batch after batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from models.errors import BadInputError
from models.training.clipping import GradientRecord
from models.training.config import TrainConfig
from models.training.dataset import input_options, window_dataset
from models.training.fitting import Fitting
from models.training.losses import Loss
from models.windows.view import WindowView


@dataclass(frozen=True)
class Course:
    """What a training reads, and what knows how to learn from it.

    Attributes:
        fitting: Wraps the network, given a loss and a record of gradients.
        epochs: From an epoch (from 0) on, the train batches of all that are left.
        validation: The validation batches, whose number is known.
        steps_per_epoch: Train batches of an epoch.
        train_windows: Forecasts of an epoch that have a loss.
        validation_windows: Those of the validation.
    """

    fitting: Callable[[Loss, GradientRecord], Fitting]
    epochs: Callable[[int], tf.data.Dataset]
    validation: tf.data.Dataset
    steps_per_epoch: int
    train_windows: int
    validation_windows: int


def window_course(
    model: keras.Model, train: WindowView, validation: WindowView, config: TrainConfig
) -> Course:
    """Windows in a shuffled order; the validation windows as they come.

    Raises:
        BadInputError: If a split has no window, or no observed label.
    """
    for split, view in (("train", train), ("validation", validation)):
        if len(view) == 0:
            raise BadInputError(
                f"the {split} split has no window; shorten window.lookback or window.horizon, or "
                "give the split more time"
            )
        require_labels(split, view)
    return Course(
        fitting=lambda loss, record: Fitting(model, loss, record),
        epochs=lambda first: training_epochs(train, config, first),
        validation=window_dataset(validation, config.batch_size),
        steps_per_epoch=math.ceil(len(train) / config.batch_size),
        train_windows=len(train),
        validation_windows=len(validation),
    )


def training_epochs(train: WindowView, config: TrainConfig, first: int) -> tf.data.Dataset:
    """Epoch after epoch of shuffled windows, from epoch `first` (from 0) on, without a break.

    One dataset over all epochs lets the next epoch's first batches be made while the validation
    runs; the order within an epoch depends on `(seed, epoch)` alone.
    """
    epochs = tf.data.Dataset.range(first, config.epochs).flat_map(
        lambda epoch: window_dataset(
            train, config.batch_size, shuffle=True, seed=config.seed, epoch=epoch
        )
    )
    return epochs.with_options(input_options())


def require_labels(split: str, view: WindowView) -> None:
    """Refuses windows none of whose labels was observed.

    Raises:
        BadInputError: If that is so.
    """
    if not any(np.isfinite(batch.labels).any() for batch in view.batches(1024)):
        raise BadInputError(
            f"the {split} split has {len(view)} windows and not one observed label: all of its "
            "targets were filled; give the split more time or data with fewer gaps"
        )
