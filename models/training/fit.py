"""`fit_forecaster`: trains a network on the series of a store."""

from __future__ import annotations

import json
from pathlib import Path

import keras

from models.features.scaling import Scaling
from models.training.config import TrainConfig, TruncatedBptt
from models.training.course import Course, window_course
from models.training.course_fit import fit_course
from models.training.gradient_flow.windows import window_plan
from models.training.history import TrainingHistory
from models.training.listener import Listener
from models.training.losses import LabelLoss
from models.training.stream_course import stream_course
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

    What is read is windows in a shuffled order, or with `bptt: {truncated: k}` the series of the
    same store from their start, `k` steps at a time: see `window_course` and `stream_course`.

    The best epoch is the one with the lowest validation loss, with and without early stopping.
    The order of an epoch depends on the seed and the epoch alone. After every epoch a checkpoint
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
            gradient_norm_max, clipped_share, skipped_share, epoch_seconds; and gradient_reach for
            the epochs after which gradient flow is measured.

    Returns:
        The history.

    Raises:
        BadInputError: If a split has no window, or no observed label; or if `bptt` is truncated
            and the network cannot carry its state.
        FailedRunError: If a loss or gradient is nan or infinite; no weights are to be used then.
    """
    made = stream_course if isinstance(config.bptt, TruncatedBptt) else window_course

    def identity(course: Course) -> str:
        counts = course.train_windows, course.validation_windows
        return json.dumps([config.canonical_json(), scaling.canonical_json(), *counts])

    return fit_course(
        model,
        config,
        make_course=lambda: made(model, train, validation, config),
        loss=LabelLoss(config.loss, scaling, train.store.roles.targets, config.huber_delta),
        probes=window_plan(model, train),
        identity=identity,
        checkpoints=checkpoints,
        recorder=recorder,
    )
