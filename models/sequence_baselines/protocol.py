"""`SequenceBaseline`: what every baseline of a sequence task can do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.sequences.core import SequenceCore
from models.sequences.view import SequenceView

Tensor = Any


class SequenceBaseline(Protocol):
    """A model that is fitted in seconds, without tuning, and that a network has to beat."""

    name: str

    def fit(self, train: SequenceView, validation: SequenceView | None) -> SequenceCore:
        """The fitted model; its logits are log probabilities.

        Args:
            train: Sequences of the train split: all that is learned from. There is at least one,
                and one of every class.
            validation: Sequences that may decide when to stop, never what to fit.
        """

    def describe(self) -> dict[str, Any]:
        """Facts of the last fit as JSON values; few, whatever the number of classes."""


def fixed(values: npt.NDArray[Any], dtype: tf.DType = tf.float32) -> tf.Variable:
    """Fitted numbers as a variable that is saved beside the graph, not in it: a graph has to stay
    below 2 GB.
    """
    return tf.Variable(np.asarray(values), trainable=False, dtype=dtype)


def log_shares(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Log of the share of each count, 1 added to each first (Laplace's rule): float64."""
    raised = np.asarray(counts, np.float64) + 1.0
    result: npt.NDArray[np.float64] = np.log(raised / raised.sum())
    return result


def class_counts(view: SequenceView) -> npt.NDArray[np.int64]:
    """int64 `[classes]`: how often each class is a label."""
    labels = view.labels()
    return np.bincount(labels[labels >= 0], minlength=len(view.store.classes)).astype(np.int64)
