"""The tag that a symbol has most often."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.sequence_baselines.protocol import Tensor, class_counts, fixed, log_shares
from models.sequence_baselines.stateless import StatelessStepper
from models.sequences.core import CoreStepper, SequenceCore
from models.sequences.view import SequenceView


class MostFrequentTag:
    """Gives each symbol the tags it has in the train split; an unknown symbol those of all.

    To the counts of a symbol the shares of all tags are added, one count in all: probabilities
    are never 0, and of tags that are equally frequent the one more frequent overall comes first.
    With several columns of symbols the first is read.
    """

    name = "most_frequent_tag"

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}

    def fit(self, train: SequenceView, validation: SequenceView | None) -> SequenceCore:  # noqa: ARG002
        """Counts the tags of each symbol."""
        store = train.store
        column = store.spec.inputs.tokens[0]
        ids, labels = train.token_ids(column), train.labels()
        shares = np.exp(log_shares(class_counts(train)))
        counts = np.zeros((len(store.vocabularies[column]) + 2, len(store.classes)))
        known = labels >= 0
        np.add.at(counts, (ids[known], labels[known]), 1.0)
        # An unknown symbol of the train split is one too rare for the vocabulary; of those to
        # come the whole says more than these few.
        counts[:2] = 0.0
        seen = counts.sum(axis=1) > 0
        self._facts = {
            "column": column,
            "symbols": int(seen.sum()),
            "of_several_tags": int(((counts > 0).sum(axis=1) > 1).sum()),
            "unknown": store.classes[int(shares.argmax())],
            "train_accuracy": float(
                (np.argmax(counts + shares, axis=1)[ids[known]] == labels[known]).mean()
            ),
        }
        totals = counts.sum(axis=1, keepdims=True) + 1.0
        return MostFrequentTagCore(np.log((counts + shares) / totals))

    def describe(self) -> dict[str, Any]:
        """`column` read, `symbols` known and how many have several tags, the tag of `unknown`
        symbols, and `train_accuracy`.
        """
        return self._facts


class MostFrequentTagCore(SequenceCore):
    """Looks each symbol up.

    Args:
        table: `[vocabulary + 2, classes]`: log probabilities by id of the first column.
    """

    def __init__(self, table: npt.NDArray[np.float64]) -> None:
        super().__init__()
        self.table = fixed(table)

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:  # noqa: ARG002
        """See `SequenceCore`."""
        return tf.gather(self.table, tokens[0])

    def stepper(self) -> CoreStepper:
        """Nothing is remembered from step to step."""
        return StatelessStepper(lambda _numbers, tokens: tf.gather(self.table, tokens[0]))
