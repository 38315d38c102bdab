"""Counts of pairs of symbols that follow one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.sequence_baselines.protocol import Tensor, fixed
from models.sequence_baselines.stateless import StatelessStepper
from models.sequences.core import CoreStepper, SequenceCore
from models.sequences.view import SequenceView


@dataclass(frozen=True)
class Pairs:
    """Log probabilities of a bigram model; only pairs that were seen take room.

    Attributes:
        first: int64 `[vocabulary + 3]`: by id, where its pairs begin, and the end.
        second: int64 `[pairs]`: the class of each pair's second symbol.
        value: float64 `[pairs]`: log probability of the second symbol after the first.
        back_off: float64 `[vocabulary + 2]`: by id, log of the share given to unseen pairs.
        single: float64 `[classes]`: log probability of a symbol whatever stands before it.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    back_off: npt.NDArray[np.float64]
    single: npt.NDArray[np.float64]


class Bigram:
    """Each symbol given the one before it: interpolated Kneser-Ney smoothing of counts.

    A discount d is taken off the count of every pair that was seen and spread by how many
    different symbols each symbol follows, itself discounted and spread evenly:
    `P(w | h) = max(c(h, w) - d, 0) / c(h) + d n(h) / c(h) P(w)`, with n(h) the number of
    different symbols after h. Kneser and Ney (1995), "Improved backing-off for m-gram language
    modeling"; Chen and Goodman (1999), "An empirical study of smoothing techniques".

    Memory grows with the pairs that were seen, not with the square of the vocabulary.

    Args:
        discount: d, between 0 and 1.
    """

    name = "bigram"

    def __init__(self, discount: float = 0.75) -> None:
        self.discount = discount
        self._facts: dict[str, Any] = {}

    def fit(self, train: SequenceView, validation: SequenceView | None) -> SequenceCore:  # noqa: ARG002
        """Counts the pairs."""
        store = train.store
        before = train.token_ids(store.spec.inputs.tokens[0]).astype(np.int64)
        pairs = count_pairs(before, train.labels(), len(store.classes), self.discount)
        self._facts = {
            "discount": self.discount,
            "pairs": len(pairs.second),
            "symbols": len(before),
            "followed": int((np.diff(pairs.first) > 0).sum()),
        }
        return BigramCore(pairs)

    def describe(self) -> dict[str, Any]:
        """`discount`, different `pairs` seen, `symbols` read, different symbols `followed`."""
        return self._facts


def count_pairs(
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.integer[Any]],
    classes: int,
    discount: float,
) -> Pairs:
    """Counts pairs and smooths them.

    Args:
        before: int `[pairs]`: ids of the first symbols, from 1 to `classes`.
        after: int `[pairs]`: classes of the second ones, from 0 to `classes - 1`.
        classes: Vocabulary and the unknown symbol.
        discount: Between 0 and 1.
    """
    keys, counts = np.unique(before * classes + after, return_counts=True)
    history, second = keys // classes, keys % classes
    total = np.bincount(history, weights=counts, minlength=classes + 1)
    different = np.bincount(history, minlength=classes + 1)
    share = np.where(total > 0, discount * different / np.maximum(total, 1), 1.0)
    follows = np.bincount(second, minlength=classes)
    left = discount * np.count_nonzero(follows) / len(keys)
    single = np.maximum(follows - discount, 0) / len(keys) + left / classes
    value = (counts - discount) / total[history] + share[history] * single[second]
    return Pairs(
        first=np.searchsorted(history, np.arange(classes + 2)).astype(np.int64),
        second=second,
        value=np.log(value),
        back_off=np.log(share),
        single=np.log(single),
    )


class BigramCore(SequenceCore):
    """Gives unseen pairs the back-off, then puts the pairs that were seen over it."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        self.first = fixed(pairs.first, tf.int64)
        self.second = fixed(pairs.second, tf.int64)
        self.value = fixed(pairs.value)
        self.back_off = fixed(pairs.back_off)
        self.single = fixed(pairs.single)

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:  # noqa: ARG002
        """See `SequenceCore`."""
        ids = tokens[0]
        flat = self._after(tf.reshape(ids, [-1]))
        return tf.reshape(flat, tf.concat([tf.shape(ids), tf.shape(self.single)], 0))

    def stepper(self) -> CoreStepper:
        """Nothing but the last symbol is remembered, and that one is the step."""
        return StatelessStepper(lambda _numbers, tokens: self._after(tokens[0]))

    def _after(self, ids: Tensor) -> Tensor:
        """float32 `[places, classes]` from ids int32 `[places]`."""
        unseen = tf.gather(self.back_off, ids)[:, None] + self.single
        begin = tf.gather(self.first, ids)
        pairs = tf.gather(self.first, ids + 1) - begin
        place = tf.repeat(tf.range(tf.size(pairs, tf.int64)), pairs)
        within = tf.range(tf.reduce_sum(pairs)) - tf.repeat(tf.cumsum(pairs, exclusive=True), pairs)
        index = tf.repeat(begin, pairs) + within
        cells = tf.stack([place, tf.gather(self.second, index)], axis=1)
        return tf.tensor_scatter_nd_update(unseen, cells, tf.gather(self.value, index))
