"""`fit_course`: trains a network, whatever it learns and reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from models.training.clipping import GradientRecord
from models.training.config import FittingConfig
from models.training.course import Course
from models.training.fitting import Fitting
from models.training.gradient_flow.plan import ProbePlan
from models.training.gradient_flow.watch import FlowWatch
from models.training.history import TrainingHistory
from models.training.layers import plan_for, tell_layers
from models.training.listener import Listener
from models.training.losses import Loss
from models.training.machine import JIT_COMPILE, keep_off_cudnn, uses_gpu
from models.training.optimizers import build_optimizer
from models.training.supervisor import NotFiniteError, Supervisor
from models.training.threads import threads


def fit_course(
    model: keras.Model,
    config: FittingConfig,
    *,
    make_course: Callable[[], Course],
    loss: Loss,
    probes: ProbePlan,
    identity: Callable[[Course], str],
    checkpoints: Path,
    recorder: Listener,
) -> TrainingHistory:
    """Trains `model` in place and leaves it with the weights of its best epoch.

    The best epoch is the one with the lowest validation loss, with and without early stopping.
    After every epoch a checkpoint is written; called again with the same arguments and a freshly
    built model after a kill, the training goes on after the last finished epoch and ends with the
    same numbers, if the batches of an epoch depend on nothing but the arguments and the epoch. The
    caller removes `checkpoints` once the model is safe.

    Args:
        model: Built inside `training_machine`.
        config: The keys that all tasks have.
        make_course: What is read; called in the scope of the model's devices.
        loss: What is lowered.
        probes: What gradient flow is measured on.
        identity: A text that differs where a checkpoint must not be used.
        checkpoints: A folder for this run alone; name it after all that the run depends on.
        recorder: Hears per epoch: loss, val_loss, learning_rate, gradient_norm,
            gradient_norm_max, clipped_share, skipped_share, epoch_seconds; and gradient_reach for
            the epochs after which gradient flow is measured.

    Returns:
        The history.

    Raises:
        BadInputError: As `make_course` raises it.
        FailedRunError: If a loss or gradient is nan or infinite; no weights are to be used then.
    """
    gpu = uses_gpu(config)
    if not gpu:
        keep_off_cudnn(model)
    plan = plan_for(model, config, gpu=gpu)
    tell_layers(model, plan)
    with model.distribute_strategy.scope():
        course = make_course()
        fitting = course.fitting(
            loss,
            GradientRecord(config.clip, skips_overflow=config.precision == "mixed_float16"),
        )
        optimizer = build_optimizer(config, course.steps_per_epoch)
        optimizer.build(model.trainable_variables)
        fitting.compile(
            optimizer=optimizer,
            jit_compile=JIT_COMPILE,
            steps_per_execution=plan.steps_per_execution,
        )
        fitting.steps_per_epoch = course.steps_per_epoch
        fitting.validation_steps = int(course.validation.cardinality())
    history = TrainingHistory(
        parameters=int(sum(np.prod(v.shape) for v in model.trainable_variables)),
        train_windows=course.train_windows,
        validation_windows=course.validation_windows,
    )
    intra_op, inter_op = threads()
    machine = {**asdict(plan), "intra_op": intra_op, "inter_op": inter_op}
    flow = FlowWatch(model, probes, loss, config.gradient_flow, recorder)
    supervisor = Supervisor(fitting, config, history, checkpoints, identity(course), recorder, flow)
    done = supervisor.resume()
    history.execution = machine
    if not supervisor.finished:
        _run(fitting, supervisor, course, config.epochs, done)
    supervisor.restore_best()
    flow.after_training(history)
    return history


def _run(fitting: Fitting, supervisor: Supervisor, course: Course, epochs: int, done: int) -> None:
    try:
        fitting.fit(
            # Without an end: Keras counts whole executions, and where it knows the number of
            # batches it begins again too early. Nothing beyond the last epoch is read.
            course.epochs(done).repeat(),
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
