"""Naive Bayes over bags of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy import sparse
from sklearn.naive_bayes import MultinomialNB

from models.sequence_baselines.protocol import Tensor, fixed
from models.sequences.core import CoreStepper, SequenceCore, State
from models.sequences.view import SequenceView

SCORE = "state_score"


class NaiveBayes:
    """Multinomial Naive Bayes over how often each known symbol is in a sequence.

    Symbols of several columns are features apart. Unknown symbols are left out, as in any bag of
    words. Fitted by scikit-learn; McCallum and Nigam (1998), "A comparison of event models for
    naive Bayes text classification".

    Args:
        alpha: Added to each symbol's count in each class.
        binary: Whether a symbol counts once per sequence, however often it is in it; Wang and
            Manning (2012), "Baselines and bigrams", find that better for opinions.
    """

    name = "naive_bayes"

    def __init__(self, alpha: float = 1.0, *, binary: bool = False) -> None:
        self.alpha = alpha
        self.binary = binary
        self._facts: dict[str, Any] = {}

    def fit(self, train: SequenceView, validation: SequenceView | None) -> SequenceCore:  # noqa: ARG002
        """Counts symbols by class."""
        store = train.store
        columns = store.spec.inputs.tokens
        counts = sparse.hstack([_bags(train, column) for column in columns], format="csr")
        if self.binary:
            counts = counts.minimum(1)
        classes = np.arange(len(store.classes))
        model = MultinomialNB(alpha=self.alpha).partial_fit(counts, train.labels(), classes)
        edges = np.cumsum([len(store.vocabularies[column]) for column in columns])[:-1]
        weights = np.split(model.feature_log_prob_.T, edges)
        self._facts = {
            "alpha": self.alpha,
            "binary": self.binary,
            "features": int(counts.shape[1]),
            "sequences": int(counts.shape[0]),
            "symbols": int(counts.sum()),
        }
        return NaiveBayesCore(model.class_log_prior_, weights, binary=self.binary)

    def describe(self) -> dict[str, Any]:
        """`alpha`, `binary`, number of `features`, of `sequences` and of `symbols` counted."""
        return self._facts


class NaiveBayesCore(SequenceCore):
    """Sums one weight per symbol and class.

    Args:
        prior: `[classes]`: log probabilities.
        weights: By column, `[vocabulary, classes]`: log probability of a symbol in a class.
        binary: Whether a symbol counts once per sequence.
    """

    def __init__(
        self,
        prior: npt.NDArray[np.float64],
        weights: list[npt.NDArray[np.float64]],
        *,
        binary: bool,
    ) -> None:
        super().__init__()
        self.prior = fixed(prior)
        # What a symbol adds to all classes alike cancels; without it float32 is precise enough.
        # Padding and the unknown symbol add nothing.
        self.weights = [
            fixed(np.pad(table - table.mean(axis=1, keepdims=True), ((2, 0), (0, 0))))
            for table in weights
        ]
        self.binary = binary

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:
        """See `SequenceCore`."""
        inside = tf.sequence_mask(length, tf.shape(numbers)[1], tf.int32)
        counted = tuple(ids * inside for ids in tokens)
        if self.binary:
            counted = tuple(_each_once(ids) for ids in counted)
        return self.logits(tf.reduce_sum(self.added(counted), axis=1))

    def stepper(self) -> CoreStepper | str:
        """The sum so far is the state."""
        if self.binary:
            return "symbols count once per sequence, so all of them would have to be remembered"
        return _Stepper(self)

    def added(self, tokens: tuple[Tensor, ...]) -> Tensor:
        """What each step adds: float32 `[..., classes]`."""
        return tf.add_n(
            [tf.gather(table, ids) for table, ids in zip(self.weights, tokens, strict=True)]
        )

    def logits(self, score: Tensor) -> Tensor:
        """From the sum over all steps, float32 `[batch, classes]`."""
        return tf.nn.log_softmax(score + self.prior)


def _each_once(ids: Tensor) -> Tensor:
    """The ids of each row in order, 0 for all but one of equal ones."""
    ordered = tf.sort(ids, axis=1)
    repeated = tf.equal(ordered[:, 1:], ordered[:, :-1])
    return tf.where(tf.pad(repeated, [[0, 0], [1, 0]]), 0, ordered)


class _Stepper:
    def __init__(self, core: NaiveBayesCore) -> None:
        self._core = core

    @property
    def state(self) -> Mapping[str, tuple[int, ...]]:
        return {SCORE: (int(self._core.prior.shape[0]),)}

    def init(self, rows: Tensor) -> State:
        return {SCORE: tf.zeros([rows, *self.state[SCORE]])}

    def step(
        self,
        numbers: Tensor,  # noqa: ARG002
        tokens: tuple[Tensor, ...],
        state: State,
    ) -> tuple[Tensor, State]:
        score = state[SCORE] + self._core.added(tokens)
        return self._core.logits(score), {SCORE: score}


def _bags(view: SequenceView, column: str) -> sparse.csr_array:
    """Counts of the known symbols, `[sequences, vocabulary]`."""
    ids = view.token_ids(column)
    rows = np.repeat(np.arange(len(view)), view.steps)
    known = ids >= 2
    shape = (len(view), len(view.store.vocabularies[column]))
    ones = np.ones(int(known.sum()))
    return sparse.coo_array((ones, (rows[known], ids[known] - 2)), shape=shape).tocsr()
