"""`fit_sequences`: trains a network on whole sequences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.errors import BadInputError
from models.sequences.buckets import Buckets
from models.sequences.config import SequenceTrainConfig
from models.sequences.dataset import SequenceGather, sequence_batches
from models.sequences.losses import ClassLoss, weights_of
from models.sequences.network import NUMBERS, tokens_input
from models.sequences.view import LENGTH, SequenceBatch, SequenceView
from models.training.course import Course
from models.training.course_fit import fit_course
from models.training.fitting import Fitting
from models.training.gradient_flow.plan import CANDIDATES, ProbePlan, spread
from models.training.history import TrainingHistory
from models.training.listener import Listener


def fit_sequences(
    model: keras.Model,
    train: SequenceView,
    validation: SequenceView,
    config: SequenceTrainConfig,
    *,
    checkpoints: Path,
    recorder: Listener,
) -> TrainingHistory:
    """Trains `model` in place and leaves it with the weights of its best epoch.

    Sequences of about the same length share a batch (see `Buckets`); each train sequence is read
    once in an epoch, in an order that depends on the seed and the epoch alone. Gradients go back
    through whole sequences. See `fit_course` for checkpoints and what is recorded.

    Args:
        model: Built by `build_sequence_network` inside `training_machine`.
        train: Sequences to learn from.
        validation: Sequences for early stopping, schedule and choice of epoch.
        config: The training section.
        checkpoints: A folder for this run alone; name it after all that the run depends on.
        recorder: Hears metrics, warnings and progress.

    Returns:
        The history; its windows are sequences.

    Raises:
        BadInputError: If a split has no sequence, or no label of a known class; or if a class
            weight names no class.
        FailedRunError: If a loss or gradient is nan or infinite; no weights are to be used then.
    """
    for split, view in (("train", train), ("validation", validation)):
        _require_labels(split, view)
    weights = weights_of(config.class_weights, train.store.classes, train.labels())

    def identity(course: Course) -> str:
        return json.dumps(
            [config.canonical_json(), course.train_windows, course.validation_windows]
        )

    return fit_course(
        model,
        config,
        make_course=lambda: sequence_course(model, train, validation, config),
        loss=ClassLoss(weights, config.label_smoothing),
        probes=sequence_plan(train),
        identity=identity,
        checkpoints=checkpoints,
        recorder=recorder,
    )


def sequence_course(
    model: keras.Model,
    train: SequenceView,
    validation: SequenceView,
    config: SequenceTrainConfig,
) -> Course:
    """Shuffled batches of train sequences; validation sequences in the order of their lengths."""
    learned = Buckets.of(train.steps, config.batch_size)
    watched = Buckets.of(validation.steps, config.batch_size)
    gather = SequenceGather(train)
    return Course(
        fitting=lambda loss, record: Fitting(model, loss, record),
        epochs=lambda done: sequence_batches(
            gather,
            learned,
            lambda epoch: learned.epoch(config.seed, epoch),
            range(done, config.epochs),
        ),
        validation=sequence_batches(
            SequenceGather(validation), watched, lambda _: watched.in_order(), range(1)
        ),
        steps_per_epoch=learned.batches,
        train_windows=len(train),
        validation_windows=len(validation),
    )


def sequence_plan(train: SequenceView) -> ProbePlan:
    """Train sequences whose last label is known, spread evenly.

    The loss is that of the last label alone, for tag and next_step too: with one at every step,
    every state would have a loss of its own beside it, and the norms would say nothing about
    how far back one reaches. Layers that read backwards are measured for classify alone, for
    from the last step they have read nothing else.

    Args:
        train: Sequences to choose from.
    """
    whole = train.store.spec.task == "classify"

    def batch(windows: int) -> tuple[dict[str, Any], Any] | None:
        looked_at = train.take(spread(len(train), CANDIDATES * windows))
        ends = np.cumsum(looked_at.outcomes)
        labelled = looked_at.take(np.flatnonzero(looked_at.labels()[ends - 1] >= 0))
        if len(labelled) == 0:
            return None
        chosen = labelled.take(spread(len(labelled), windows)).batch()
        labels = chosen.labels.copy()
        if not whole:
            steps = np.arange(labels.shape[1])
            labels[steps != chosen.length[:, None] - 1] = -1
        return network_inputs(chosen), labels

    return ProbePlan(
        batch,
        looked_at=f"{len(train)} train sequences",
        backward=whole,
        shorter="nothing is lost",
    )


def network_inputs(batch: SequenceBatch) -> dict[str, Any]:
    """A batch as `build_sequence_network` takes it."""
    inputs: dict[str, Any] = {LENGTH: batch.length}
    if batch.numbers.shape[-1]:
        inputs[NUMBERS] = batch.numbers
    for index, ids in enumerate(batch.tokens.values()):
        inputs[tokens_input(index)] = ids
    return inputs


def _require_labels(split: str, view: SequenceView) -> None:
    if len(view) == 0:
        raise BadInputError(
            f"the {split} split has no sequence; give it more data, or another split section"
        )
    if not (view.labels() >= 0).any():
        raise BadInputError(
            f"the {split} split has {len(view)} sequences, and no label of theirs is a class of "
            f"the train split ({list(view.store.classes[:20])}); check split and the column "
            f"{view.store.spec.target or view.store.spec.inputs.tokens[0]!r}"
        )
