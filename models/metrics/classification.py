"""`ClassScores`: accuracy, F1, log loss and perplexity from counts by class."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.sequences.predictions import SequencePredictions

Ints = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
CLASS_METRICS = ("accuracy", "macro_f1", "log_loss", "perplexity")
TINIEST = float(np.finfo(np.float32).tiny)
"""Probabilities below the smallest normal float32 count as this one, 87 nats: a softmax in float32
has nothing between it and 0, and one such label would make the log loss infinite."""


@dataclass(frozen=True)
class ClassScores:
    """Counts of labels and predictions, and what they come to.

    A label of -1, a class that is not known, counts as wrong; log loss and perplexity leave it
    out. A prediction whose probability is nan counts as wrong and makes both nan.

    Attributes:
        support: int64 `[classes]`: labels of each class.
        predicted: int64 `[classes]`: predictions of each class.
        correct: int64 `[classes]`: where both are the class.
        labels: All labels, the unknown ones included.
        unknown: Labels of -1.
        surprise: Sum of the negative natural logarithm of the probability of the true class, over
            the labels that are known.
    """

    support: Ints
    predicted: Ints
    correct: Ints
    labels: int
    unknown: int
    surprise: float

    @classmethod
    def of(
        cls, labels: npt.NDArray[np.int32], predictions: SequencePredictions, classes: int
    ) -> ClassScores:
        """Scores of some labels.

        Args:
            labels: int32 `[outcomes]`, below `classes`; -1 where unknown.
            predictions: Of the same labels.
            classes: Number of classes.

        Raises:
            ValueError: If there are more or fewer predictions than labels.
        """
        if len(predictions) != len(labels):
            raise ValueError(f"{len(predictions)} predictions of {len(labels)} labels")
        known = labels >= 0
        right = correct(labels, predictions)
        return cls(
            support=_counts(labels[known], classes),
            predicted=_counts(predictions.predicted[predictions.predicted >= 0], classes),
            correct=_counts(labels[right], classes),
            labels=len(labels),
            unknown=int(np.count_nonzero(~known)),
            surprise=float(surprises(labels, predictions)[known].sum()),
        )

    @property
    def accuracy(self) -> float:
        """Share of right labels among all; nan without labels."""
        return int(self.correct.sum()) / self.labels if self.labels else math.nan

    @property
    def precision(self) -> Array:
        """float64 `[classes]`: share of right ones among the predictions of a class; nan where
        there is none.
        """
        return _ratio(self.correct, self.predicted)

    @property
    def recall(self) -> Array:
        """float64 `[classes]`: share of right ones among the labels of a class; nan where there is
        none.
        """
        return _ratio(self.correct, self.support)

    @property
    def f1(self) -> Array:
        """float64 `[classes]`: harmonic mean of precision and recall, 0 where nothing is right; nan
        where a class has neither labels nor predictions.
        """
        return _ratio(2 * self.correct, self.support + self.predicted)

    @property
    def macro_f1(self) -> float:
        """Mean of `f1` over the classes that have labels, each with the same weight.

        Classes without labels are left out, so that the mean of every model is over the same ones;
        what was predicted as such a class is missed in another. nan without any.
        """
        return macro_f1(self.support, self.predicted, self.correct)

    @property
    def log_loss(self) -> float:
        """Mean negative natural logarithm of the probability of the true class, over the labels
        that are known; nan without any.
        """
        known = self.labels - self.unknown
        return self.surprise / known if known else math.nan

    @property
    def perplexity(self) -> float:
        """The exponential of the log loss: 1 is certainty, the number of classes a blind guess."""
        return float(np.exp(self.log_loss))

    @property
    def overall(self) -> dict[str, float]:
        """By name, the metrics of `CLASS_METRICS`."""
        return {name: getattr(self, name) for name in CLASS_METRICS}


def correct(
    labels: npt.NDArray[np.int32], predictions: SequencePredictions
) -> npt.NDArray[np.bool_]:
    """Where the right class was predicted, bool `[outcomes]`: never where the label is unknown or
    the probability is nan.
    """
    right = (labels >= 0) & (labels == predictions.predicted) & ~np.isnan(predictions.probability)
    return np.asarray(right)


def surprises(labels: npt.NDArray[np.int32], predictions: SequencePredictions) -> Array:
    """Negative natural logarithm of the probability of the true class, float64 `[outcomes]`: at
    most 87.4; 0 where the label is unknown.
    """
    given = np.clip(predictions.probability.astype(np.float64), TINIEST, 1.0)  # nan stays nan
    return np.where(labels >= 0, -np.log(given), 0.0)


def macro_f1(support: Ints | Array, predicted: Ints | Array, right: Ints | Array) -> float:
    """`ClassScores.macro_f1` from counts `[classes]`."""
    with_labels = support > 0
    if not with_labels.any():
        return math.nan
    both = support[with_labels] + predicted[with_labels]
    return float(np.mean(2 * right[with_labels] / both))


def _counts(values: npt.NDArray[np.int32], classes: int) -> Ints:
    return np.asarray(np.bincount(values, minlength=classes), np.int64)


def _ratio(top: Ints, bottom: Ints) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(top / np.where(bottom == 0, np.nan, bottom), np.float64)
