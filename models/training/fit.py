"""`fit_forecaster`: trains a network on the windows of a store."""

from __future__ import annotations

import json
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.errors import BadInputError
from models.features.scaling import Scaling
from models.training.clipping import GradientRecord
from models.training.config import TrainConfig
from models.training.dataset import input_options, window_dataset
from models.training.fitting import Fitting
from models.training.history import TrainingHistory
from models.training.listener import Listener
from models.training.losses import LabelLoss
from models.training.machine import (
    JIT_COMPILE,
    STEPS_PER_EXECUTION,
    keep_off_cudnn,
    uses_gpu,
)
from models.training.optimizers import build_optimizer
from models.training.supervisor import NotFiniteError, Supervisor
from models.windows.view import WindowView


def fit_forecaster(
    model: keras.Model,
    train: WindowView,
    validation: WindowView,
    config: TrainConfig,
    scaling: Scaling,
    *,
    checkpoints: Path,
    recorder: Listener,
) -> TrainingHistory:
    """Trains `model` in place and leaves it with the weights of its best epoch.

    The best epoch is the one with the lowest validation loss, with and without early stopping.
    The order of windows depends on the seed and the epoch alone. After every epoch a checkpoint
    is written; called again with the same arguments and a freshly built model after a kill, the
    training goes on after the last finished epoch and ends with the same numbers. The caller
    removes `checkpoints` once the model is safe.

    Args:
        model: Built by `build_forecaster` inside `training_machine`; inputs and outputs are dicts
            by column in natural units.
        train: Windows to learn from.
        validation: Windows for early stopping, schedule and choice of epoch.
        config: The training section.
        scaling: Train moments: the units of the loss.
        checkpoints: A folder for this run alone; name it after all that the run depends on.
        recorder: Hears per epoch: loss, val_loss, learning_rate, gradient_norm,
            gradient_norm_max, clipped_share, skipped_share, epoch_seconds.

    Returns:
        The history.

    Raises:
        BadInputError: If a split has no window, or no observed label.
        FailedRunError: If a loss or gradient is nan or infinite; no weights are to be used then.
    """
    _has_labels("train", train)
    _has_labels("validation", validation)
    targets = train.store.roles.targets
    if not uses_gpu(config):
        keep_off_cudnn(model)
    strategy = model.distribute_strategy
    with strategy.scope():
        fitting = Fitting(
            model,
            LabelLoss(config.loss, scaling, targets, config.huber_delta),
            GradientRecord(config.clip, skips_overflow=config.precision == "mixed_float16"),
        )
        optimizer = build_optimizer(config, math.ceil(len(train) / config.batch_size))
        optimizer.build(model.trainable_variables)
        fitting.compile(
            optimizer=optimizer,
            jit_compile=JIT_COMPILE,
            steps_per_execution=STEPS_PER_EXECUTION,
        )
    history = TrainingHistory(
        parameters=int(sum(np.prod(v.shape) for v in model.trainable_variables)),
        train_windows=len(train),
        validation_windows=len(validation),
    )
    identity = json.dumps(
        [config.canonical_json(), scaling.canonical_json(), len(train), len(validation)]
    )
    supervisor = Supervisor(fitting, config, history, checkpoints, identity, recorder)
    done = supervisor.resume()
    if not supervisor.finished:
        _run(fitting, supervisor, train, validation, config, done)
    supervisor.restore_best()
    return history


def _run(
    fitting: Fitting,
    supervisor: Supervisor,
    train: WindowView,
    validation: WindowView,
    config: TrainConfig,
    done: int,
) -> None:
    try:
        fitting.fit(
            training_epochs(train, config, done),
            epochs=config.epochs,
            initial_epoch=done,
            steps_per_epoch=math.ceil(len(train) / config.batch_size),
            validation_data=window_dataset(validation, config.batch_size),
            callbacks=[supervisor],
            shuffle=False,  # the dataset does it
            verbose=0,
        )
    except NotFiniteError:
        raise supervisor.failure() from None


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


def _has_labels(split: str, view: WindowView) -> None:
    if len(view) == 0:
        raise BadInputError(
            f"the {split} split has no window; shorten window.lookback or window.horizon, or give "
            "the split more time"
        )
    if not any(np.isfinite(batch.labels).any() for batch in view.batches(1024)):
        raise BadInputError(
            f"the {split} split has {len(view)} windows and not one observed label: all of its "
            "targets were filled; give the split more time or data with fewer gaps"
        )
