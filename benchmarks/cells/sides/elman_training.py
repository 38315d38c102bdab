"""Elman's layers in Elman's training: the whole loop, or its compiled step alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import read_weights
from benchmarks.cells.sides.elman_data import (
    forecaster,
    sequence_store,
    series_store,
    unit_scaling,
)
from benchmarks.cells.sides.given import parser, work_of
from benchmarks.cells.sides.product import tensorflow_peak
from benchmarks.cells.work import Work
from models.sequences.buckets import Buckets
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.dataset import SequenceGather, sequence_batches
from models.sequences.fit import network_inputs, sequence_course, sequence_plan
from models.sequences.losses import ClassLoss
from models.sequences.network import build_sequence_network
from models.sequences.view import SequenceView
from models.training.checkpoints import assign
from models.training.config import FittingConfig, TrainConfig
from models.training.course import Course, window_course
from models.training.course_fit import fit_course
from models.training.fitting import Fitting
from models.training.gradient_flow.config import GradientFlowConfig
from models.training.gradient_flow.plan import ProbePlan
from models.training.gradient_flow.windows import window_plan
from models.training.losses import LabelLoss, Loss
from models.training.machine import training_machine

HELD = 16
"""Batches in memory that the bare step reads in turns."""


class Turns:
    """A listener that ends a turn with every epoch and waits for the next."""

    def __init__(self, channel: Channel, steps: int) -> None:
        self._channel, self.steps = channel, steps

    def wait(self) -> None:
        """Answers what is asked until it is a turn."""
        self._channel.wait_for_turn()

    def end(self, loss: float) -> None:
        """Ends a turn of all steps and waits for the next."""
        self._channel.end_turn(self.steps, loss)
        self.wait()

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Ignores `values`."""

    def warn(self, text: str) -> None:
        """Ignores `text`."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:  # noqa: ARG002
        """Called once in an epoch, after its validation: the checkpoint falls to the next turn."""
        self.end(values["loss"])


def bare(network: keras.Model, course: Course, turns: Turns) -> Course:
    """The same course whose fitting runs the step that was compiled for it, and nothing else."""

    class Bare(Fitting):
        def fit(self, batches: tf.data.Dataset, **_: Any) -> None:
            self.steps_per_epoch = turns.steps  # the function ends a turn where an epoch would end
            self.make_train_function()
            iterator = iter(batches.take(HELD).cache().repeat())
            while True:
                self.reset_metrics()
                for _call in range(-(-turns.steps // self.steps_per_execution)):
                    logs = self.train_function(iterator)
                turns.end(float(logs["loss"]))

    return replace(course, fitting=lambda loss, record: Bare(network, loss, record))


def one_edge(
    model: keras.Model, train: SequenceView, validation: SequenceView, config: SequenceTrainConfig
) -> Course:
    """The course of sequences with one bucket: every batch is padded to the longest sequence, as
    that of every other side is. Buckets would spare some of that work.
    """
    steps = np.asarray(train.steps, np.int64)
    buckets = Buckets(steps, np.asarray([steps.max()]), config.batch_size)
    gather = SequenceGather(train)

    def epochs(done: int) -> tf.data.Dataset:
        numbers = range(done, config.epochs)
        return sequence_batches(gather, buckets, lambda e: buckets.epoch(config.seed, e), numbers)

    return replace(sequence_course(model, train, validation, config), epochs=epochs)


def main() -> None:
    """Answers turns."""
    arguments = parser()
    arguments.add_argument("--loop", action="store_true")
    arguments.add_argument("--intra-op", type=int, help="TensorFlow's choice by default")
    arguments.add_argument("--inter-op", type=int, help="likewise")
    compiled = ("auto", "never", "known", "always")
    arguments.add_argument("--compiled", choices=compiled, default="auto")
    channel, given = Channel(), arguments.parse_args()
    work = work_of(given)
    if given.intra_op is not None:
        tf.config.threading.set_intra_op_parallelism_threads(given.intra_op)
    if given.inter_op is not None:
        tf.config.threading.set_inter_op_parallelism_threads(given.inter_op)
    if given.device == "gpu":
        tf.config.experimental.enable_tensor_float_32_execution(False)
    options: dict[str, Any] = {
        "epochs": 10**6,
        "batch_size": work.batch,
        "patience": None,
        "gradient_flow": GradientFlowConfig(every=0),
        "devices": given.device,
        "execution": {"compiled": given.compiled},
    }
    with TemporaryDirectory(dir=given.folder) as scratch:
        train = classify if work.masked else forecast
        train(work, given.folder, Path(scratch), options, channel, given.loop)


def forecast(
    work: Work, folder: Path, scratch: Path, options: Any, channel: Channel, loop: bool
) -> None:
    """Trains a forecaster of all columns from all columns."""
    config, listener = TrainConfig(**options), Turns(channel, work.turn)
    store = series_store(work, folder, scratch)
    train, validation = store.view("train"), store.view("validation")
    loss = LabelLoss("mse", unit_scaling(work), store.roles.targets)
    with training_machine(config, listener):
        network = forecaster(work, store, folder)
        first = train.take(np.arange(work.batch)).gather()
        labels = {name: first.labels[..., i] for i, name in enumerate(store.roles.targets)}
        ready(channel, network, loss, first.past, labels)
        learn(
            network,
            config,
            lambda: window_course(network, train, validation, config),
            loss,
            window_plan(network, train),
            listener,
            scratch,
            loop=loop,
        )


def classify(
    work: Work, folder: Path, scratch: Path, options: Any, channel: Channel, loop: bool
) -> None:
    """Trains a network that reads right-padded sequences in both directions."""
    config, listener = SequenceTrainConfig(**options), Turns(channel, work.turn)
    store = sequence_store(work, folder)
    train, validation = store.view("train"), store.view("validation")
    loss = ClassLoss()
    with training_machine(config, listener):
        network = build_sequence_network(
            spec=store.spec,
            vocabularies={},
            classes=len(store.classes),
            model=SequenceModelConfig(
                cell=work.cell, units=(work.units,), bidirectional=True, normalize="none"
            ),
            scaling=unit_scaling(work),
            seed=7,
        )
        assign(network.trainable_variables, read_weights(folder), "start")
        first = train.take(np.arange(work.batch)).batch()
        ready(channel, network, loss, network_inputs(first), first.labels)
        learn(
            network,
            config,
            lambda: one_edge(network, train, validation, config),
            loss,
            sequence_plan(train),
            listener,
            scratch,
            loop=loop,
        )


def learn(
    network: keras.Model,
    config: FittingConfig,
    made: Callable[[], Course],
    loss: Loss,
    probes: ProbePlan,
    turns: Turns,
    scratch: Path,
    *,
    loop: bool,
) -> None:
    """Takes turns until nobody asks any more.

    Args:
        network: What learns.
        config: Of the training command.
        made: What the training command would read.
        loss: What is lowered.
        probes: As the training command has them.
        turns: Of this side.
        scratch: For checkpoints.
        loop: Whether turns are of the whole loop, or of its step alone.
    """

    def course() -> Course:
        return made() if loop else bare(network, made(), turns)

    turns.wait()
    fit_course(
        network,
        config,
        make_course=course,
        loss=loss,
        probes=probes,
        identity=lambda _: "benchmark",
        checkpoints=scratch / "checkpoints",
        recorder=turns,
    )


def ready(channel: Channel, network: keras.Model, loss: Loss, inputs: Any, labels: Any) -> None:
    """Answers what is asked beside turns, with the first batch and the given weights."""

    def check() -> dict[str, Any]:
        with tf.GradientTape() as tape:
            feed = {name: tf.constant(value) for name, value in inputs.items()}
            total, cells = loss(labels, network(feed, training=True))
            value = total / cells
        variables = network.trainable_variables
        return {
            "parameters": int(sum(np.prod(v.shape) for v in variables)),
            "loss": float(value),
            "gradient_norm": float(tf.linalg.global_norm(tape.gradient(value, variables))),
            "gpus": len(tf.config.list_physical_devices("GPU")),
            "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        }

    channel.on("check", check)
    channel.on("peak", tensorflow_peak)


if __name__ == "__main__":
    main()
