"""The paired test that suits a task and a metric."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from components.sequence_backtest.config import HIGHER_IS_BETTER, SequenceMetric
from models.metrics.classification import correct, surprises
from models.metrics.paired_sequences import SequenceTest, mcnemar, randomization
from models.sequences.predictions import SequencePredictions
from models.sequences.view import SequenceView

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]


def compare(
    view: SequenceView, metric: SequenceMetric, a: SequencePredictions, b: SequencePredictions
) -> SequenceTest:
    """Whether `a` is better than `b` by `metric` on the sequences of `view`.

    The accuracy of classify is tested by McNemar's exact test, everything else by randomization
    over sequences, since the steps of one sequence are not independent draws.
    """
    labels = view.labels()
    if metric == "accuracy" and view.store.spec.task == "classify":
        return mcnemar(correct(labels, a), correct(labels, b))
    higher = HIGHER_IS_BETTER[metric]
    place = np.repeat(np.arange(len(view)), view.outcomes)
    if metric == "macro_f1":
        f1 = _MacroF1(labels, place, len(view), len(view.store.classes))
        return randomization(f1.sums(a), f1.sums(b), f1.of, higher=higher)

    def sums(predictions: SequencePredictions) -> Array:
        terms = correct if metric == "accuracy" else surprises
        weights = np.asarray(terms(labels, predictions), np.float64)
        total: Array = np.bincount(place, weights=weights, minlength=len(view)).astype(np.float64)
        return total[:, None]

    number = len(labels) if metric == "accuracy" else int(np.count_nonzero(labels >= 0))

    def statistic(total: Array) -> Array:
        with np.errstate(invalid="ignore"):
            mean = total[:, 0] / (number or np.nan)
        return np.exp(mean) if metric == "perplexity" else mean

    return randomization(sums(a), sums(b), statistic, higher=higher)


class _MacroF1:
    """The macro F1 from sums over sequences: predictions of each class, and right ones."""

    def __init__(self, labels: Labels, place: Ints, sequences: int, classes: int) -> None:
        self._labels = labels
        self._place = place
        self._sequences = sequences
        support = np.bincount(labels[labels >= 0], minlength=classes)
        # Only classes with labels are in the mean.
        self._kept = np.flatnonzero(support)
        self._support = support[self._kept].astype(np.float64)
        self._column = np.full(classes, -1, np.int64)
        self._column[self._kept] = np.arange(len(self._kept))

    def sums(self, predictions: SequencePredictions) -> sparse.csr_array:
        """float64 `[sequences, 2 * classes with labels]`."""
        right = correct(self._labels, predictions)
        made = predictions.predicted >= 0
        made[made] = self._column[predictions.predicted[made]] >= 0
        column = self._column[predictions.predicted]  # of -1 too, which is never used
        rows = np.concatenate((self._place[made], self._place[right]))
        columns = np.concatenate((column[made], len(self._kept) + column[right]))
        shape = (self._sequences, 2 * len(self._kept))
        return sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape).tocsr()

    def of(self, sums: Array) -> Array:
        """float64 `[n]` from float64 `[n, sums]`."""
        if not len(self._kept):
            return np.full(len(sums), np.nan)
        predicted, right = np.split(sums, 2, axis=1)
        return np.asarray((2 * right / (self._support + predicted)).mean(axis=1), np.float64)
