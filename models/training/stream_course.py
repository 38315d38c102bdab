"""`stream_course`: series read from their start, for truncated backpropagation through time."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from models.errors import BadInputError
from models.export.streaming import stepper_of
from models.network.reader import StreamReader
from models.training.config import TrainConfig, TruncatedBptt
from models.training.course import Course, require_labels
from models.training.stream_dataset import StreamGather, chunk_dataset
from models.training.stream_fitting import StreamFitting
from models.windows.streams import Chunks, Streams, steps_with_labels
from models.windows.view import WindowView

VALIDATION_STEPS = 128
"""Least steps of a validation chunk: nothing depends on it but speed."""


def stream_course(
    model: keras.Model, train: WindowView, validation: WindowView, config: TrainConfig
) -> Course:
    """Chunks of streams, with the state carried on from each to the next.

    A stream is a segment of a series from its first step. In training there is a forecast at
    every step whose labels lie in the train split, with `stride` 1 and without waiting for a whole
    lookback: streaming answers from the first step on. In validation, streams are read from the
    same first steps, through the train split, and the forecasts that count are those at the
    origins of `validation`.

    Args:
        model: As `build_forecaster` made it.
        train: Names the store; all its series are read.
        validation: Windows of the same store.
        config: `bptt` is a `TruncatedBptt`.

    Raises:
        BadInputError: If the network cannot carry its state, or a split has no forecast with an
            observed label.
        ValueError: If the network was built for several devices; `training_machine` sees to it.
    """
    assert isinstance(config.bptt, TruncatedBptt)
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas > 1:
        raise ValueError(f"the state is carried on one device, got a network on {replicas}")
    store = train.store
    text = tuple(name for name, tensor in model.input.items() if tensor.dtype == "string")
    columns = model, store.spec, store.roles, store.frequency, text
    _, reason = stepper_of(*columns)
    if reason is not None:
        raise BadInputError(f"train.bptt is truncated, but this network cannot stream: {reason}")
    steps = steps_with_labels(store, "train")
    for split, rows in (("train", steps), ("validation", validation.origins)):
        if len(rows) == 0:
            raise BadInputError(
                f"the {split} split has no step with all its labels inside; shorten "
                "window.horizon or window.gap, or give the split more time"
            )
        single = replace(store, spec=store.spec.model_copy(update={"lookback": 1}))
        require_labels(split, WindowView(single, rows))
    reader = StreamReader(*columns)
    learned = Streams.to(store, steps)
    watched = Streams.to(store, np.asarray(validation.origins))
    gather = StreamGather(store, Streams.to(store, np.union1d(steps, validation.origins)))
    # No longer than there are steps: what is missing to a whole chunk is computed in vain.
    length = min(config.bptt.truncated, int(learned.steps.max()))
    watched_length = min(max(length, VALIDATION_STEPS), int(watched.steps.max()))
    watching = Chunks.of(watched, config.batch_size, watched_length)

    def learning(epoch: int) -> Chunks:
        rng = np.random.Generator(np.random.PCG64([config.seed, epoch]))
        return Chunks.of(learned, config.batch_size, length, rng)

    first = learning(0)
    return Course(
        fitting=lambda loss, record: StreamFitting(
            model,
            loss,
            record,
            reader,
            train=(first.lanes, length),
            validation=(watching.lanes, watched_length),
        ),
        epochs=lambda done: chunk_dataset(
            gather, learning, range(done, config.epochs), length, steps
        ),
        validation=chunk_dataset(
            gather,
            lambda _: watching,
            range(1),
            watched_length,
            np.asarray(validation.origins),
        ),
        steps_per_epoch=len(first),
        train_windows=len(steps),
        validation_windows=len(validation),
    )
