"""The most frequent class, whatever the sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.sequence_baselines.protocol import Tensor, class_counts, fixed, log_shares
from models.sequence_baselines.stateless import StatelessStepper
from models.sequences.core import CoreStepper, SequenceCore
from models.sequences.view import SequenceView


class Majority:
    """Gives every class its share of the train labels; for next_step these are unigram counts.

    One is added to each count, so that the unknown symbol of next_step is not impossible.
    """

    name = "majority"

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}

    def fit(self, train: SequenceView, validation: SequenceView | None) -> SequenceCore:  # noqa: ARG002
        """Counts the labels of `train`."""
        counts = class_counts(train)
        top = int(counts.argmax())
        self._facts = {
            "class": train.store.classes[top],
            "share": float(counts[top] / counts.sum()),
            "labels": int(counts.sum()),
        }
        return MajorityCore(log_shares(counts), per_step=train.store.spec.task != "classify")

    def describe(self) -> dict[str, Any]:
        """`class`, its `share` of the train labels, and how many `labels` there are."""
        return self._facts


class MajorityCore(SequenceCore):
    """The same logits for every sequence, or at every step.

    Args:
        logits: `[classes]`.
        per_step: Whether there is a label for each step.
    """

    def __init__(self, logits: npt.NDArray[np.float64], *, per_step: bool) -> None:
        super().__init__()
        self.logits = fixed(logits)
        self.per_step = per_step

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:  # noqa: ARG002
        """See `SequenceCore`."""
        places = tf.shape(numbers)[:2] if self.per_step else tf.shape(length)
        return tf.zeros(places)[..., None] + self.logits

    def stepper(self) -> CoreStepper:
        """Nothing is remembered from step to step."""
        return StatelessStepper(
            lambda numbers, _tokens: tf.zeros(tf.shape(numbers)[:1])[:, None] + self.logits
        )
