"""`fit_forecaster`: trains a network on the series of a store."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

from models.features.scaling import Scaling
from models.training.clipping import GradientRecord
from models.training.config import TrainConfig, TruncatedBptt
from models.training.course import Course, window_course
from models.training.fitting import Fitting
from models.training.gradient_flow.watch import FlowWatch
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
from models.training.stream_course import stream_course
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
    if not uses_gpu(config):
        keep_off_cudnn(model)
    with model.distribute_strategy.scope():
        truncated = isinstance(config.bptt, TruncatedBptt)
        made = stream_course if truncated else window_course
        course = made(model, train, validation, config)
        fitting = course.fitting(
            LabelLoss(config.loss, scaling, train.store.roles.targets, config.huber_delta),
            GradientRecord(config.clip, skips_overflow=config.precision == "mixed_float16"),
        )
        optimizer = build_optimizer(config, course.steps_per_epoch)
        optimizer.build(model.trainable_variables)
        fitting.compile(
            optimizer=optimizer,
            jit_compile=JIT_COMPILE,
            steps_per_execution=STEPS_PER_EXECUTION,
        )
    counts = course.train_windows, course.validation_windows
    history = TrainingHistory(
        parameters=int(sum(np.prod(v.shape) for v in model.trainable_variables)),
        train_windows=counts[0],
        validation_windows=counts[1],
    )
    identity = json.dumps([config.canonical_json(), scaling.canonical_json(), *counts])
    flow = FlowWatch(model, train, fitting.label_loss, config.gradient_flow, recorder)
    supervisor = Supervisor(fitting, config, history, checkpoints, identity, recorder, flow)
    done = supervisor.resume()
    if not supervisor.finished:
        _run(fitting, supervisor, course, config.epochs, done)
    supervisor.restore_best()
    flow.after_training(history)
    return history


def _run(fitting: Fitting, supervisor: Supervisor, course: Course, epochs: int, done: int) -> None:
    try:
        fitting.fit(
            course.epochs(done),
            epochs=epochs,
            initial_epoch=done,
            steps_per_epoch=course.steps_per_epoch,
            validation_data=course.validation,
            callbacks=[supervisor],
            shuffle=False,  # the dataset does it
            verbose=0,
        )
    except NotFiniteError:
        raise supervisor.failure() from None
