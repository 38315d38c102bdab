"""`predict_core`: what a core says of the labels of a view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.export.portable import exact_float32
from models.sequences.core import SequenceCore
from models.sequences.predictions import SequencePredictions
from models.sequences.view import SequenceBatch, SequenceView

Tensor = Any
Ints = npt.NDArray[np.int64]
MOST_VALUES = 1 << 24
"""Probabilities that one call may make, unless a single sequence needs more."""


def predict_core(
    core: SequenceCore, view: SequenceView, batch_size: int = 256
) -> SequencePredictions:
    """Runs `core` over all sequences of `view`, those of like length together.

    Args:
        core: Of the task of the view's store, with its vocabularies and classes.
        view: Which sequences.
        batch_size: Most sequences in one call; the result does not depend on it.

    Returns:
        One entry per label, in the order of `view.labels()`.
    """
    run = scorer(core, view)

    def score(part: SequenceView) -> SequencePredictions:
        return run(part.batch())

    return in_batches(view, batch_size, score)


def scorer(
    core: SequenceCore, view: SequenceView
) -> Callable[[SequenceBatch], SequencePredictions]:
    """Makes the predictions for padded batches of the store behind `view`, in one graph."""
    spec = view.store.spec
    columns = spec.inputs.tokens

    def judge(numbers: Tensor, tokens: Any, length: Tensor, labels: Tensor) -> Any:
        logits = core(numbers, tokens, length)
        if spec.task != "classify":
            inside = tf.sequence_mask(length, tf.shape(logits)[1])
            logits, labels = tf.boolean_mask(logits, inside), tf.boolean_mask(labels, inside)
        return judged(tf.nn.softmax(logits), labels)

    ids = tf.TensorSpec((None, None), tf.int32)
    graph = tf.function(
        judge,
        input_signature=[
            tf.TensorSpec((None, None, len(spec.inputs.numbers)), tf.float32),
            tuple(ids for _ in columns),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None,) if spec.task == "classify" else (None, None), tf.int32),
        ],
        autograph=False,
    )

    def run(batch: SequenceBatch) -> SequencePredictions:
        tokens = tuple(tf.constant(batch.tokens[column]) for column in columns)
        with exact_float32():
            judgement = graph(
                tf.constant(batch.numbers),
                tokens,
                tf.constant(batch.length),
                tf.constant(batch.labels),
            )
        return SequencePredictions(*(value.numpy() for value in judgement))

    return run


def judged(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`SequencePredictions.of` in TensorFlow, so that the probabilities of all classes stay there.

    Args:
        probabilities: float32 `[outcomes, classes]`.
        labels: int32 `[outcomes]`, -1 where unknown.

    Returns:
        predicted, int32 `[outcomes]`; probability and confidence, float32 `[outcomes]`.
    """
    bad = tf.reduce_any(tf.math.is_nan(probabilities), axis=-1)
    predicted = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    given = tf.gather(probabilities, tf.maximum(labels, 0), batch_dims=1)
    nan = tf.fill(tf.shape(given), float("nan"))
    return (
        tf.where(bad, -1, predicted),
        tf.where(labels < 0, 0.0, tf.where(bad, nan, given)),
        tf.where(bad, nan, tf.reduce_max(probabilities, axis=-1)),
    )


def in_batches(
    view: SequenceView, batch_size: int, score: Callable[[SequenceView], SequencePredictions]
) -> SequencePredictions:
    """Predictions for all of `view`, made in batches of sequences of like length.

    Args:
        view: Which sequences.
        batch_size: Most sequences in one batch; fewer where they are long and classes many.
        score: Makes the predictions for one batch.

    Returns:
        One entry per label, in the order of `view.labels()`.
    """
    outcomes = view.outcomes
    starts = np.cumsum(outcomes) - outcomes
    predicted = np.empty(int(outcomes.sum()), np.int32)
    probability, confidence = (np.empty(len(predicted), np.float32) for _ in range(2))
    for positions in length_batches(view, batch_size):
        part = score(view.take(positions))
        sizes = outcomes[positions]
        # Where each label of the batch stands among those of the view.
        first = np.repeat(starts[positions] - np.cumsum(sizes) + sizes, sizes)
        place = first + np.arange(int(sizes.sum()))
        predicted[place], probability[place] = part.predicted, part.probability
        confidence[place] = part.confidence
    return SequencePredictions(predicted, probability, confidence)


def length_batches(view: SequenceView, batch_size: int) -> Iterator[Ints]:
    """Positions in `view`, each once, the shortest sequences first, batch by batch."""
    classes = max(1, len(view.store.classes))
    return like_lengths(view.steps, view.outcomes * classes, batch_size)


def like_lengths(steps: Ints, values: Ints, batch_size: int) -> Iterator[Ints]:
    """Batches of sequences of like length, the shortest first.

    Args:
        steps: int64 `[n]`: length of each sequence.
        values: int64 `[n]`: how many values a model makes of each; rises with its length.
        batch_size: Most sequences in a batch; fewer where they would make too many values.

    Yields:
        Positions, int64; each is in one batch.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size: expected 1 or more, got {batch_size}")
    order = np.argsort(steps, kind="stable").astype(np.int64)
    start = 0
    while start < len(order):
        stop = min(start + batch_size, len(order))
        # The last one of a batch is the longest: halved until what it makes of all fits.
        while stop - start > 1 and (stop - start) * values[order[stop - 1]] > MOST_VALUES:
            stop = start + (stop - start + 1) // 2
        yield order[start:stop]
        start = stop
