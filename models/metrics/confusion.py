"""Which class is taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.sequences.predictions import SequencePredictions

OTHERS = "(others)"
UNKNOWN_CLASS = "(unknown)"


@dataclass(frozen=True)
class Confusion:
    """Counts of labels by true and predicted class.

    Attributes:
        names: Of the classes; where there are many, the rest is `(others)`, the last but one.
            The last is `(unknown)`: as a row, labels that are not known; as a column, predictions
            of a class that is not, or of none.
        counts: int64 `[names, names]`: row the true class, column the predicted one.
    """

    names: tuple[str, ...]
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls,
        labels: npt.NDArray[np.int32],
        predictions: SequencePredictions,
        classes: tuple[str, ...],
        most: int = 30,
    ) -> Confusion:
        """The confusion of some labels.

        Args:
            labels: int32 `[outcomes]`, -1 where unknown.
            predictions: Of the same labels.
            classes: Their names.
            most: Classes shown at most: those with most labels, in the order of `classes`; there
                is no `(others)` where they are all shown.
        """
        support = np.bincount(labels[labels >= 0], minlength=len(classes))
        kept = np.sort(np.argsort(-support, kind="stable")[:most])
        names = tuple(classes[i] for i in kept)
        names += (OTHERS,) if len(kept) < len(classes) else ()
        size = len(names) + 1
        # The last entry is where index -1 points to: unknown.
        place = np.full(len(classes) + 1, len(names) - 1, np.int64)
        place[kept] = np.arange(len(kept))
        place[-1] = size - 1
        spoilt = np.isnan(predictions.probability)
        guess = np.where(spoilt, size - 1, place[predictions.predicted])
        pairs = place[labels] * size + guess
        counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
        return cls((*names, UNKNOWN_CLASS), np.asarray(counts, np.int64))

    def trimmed(self) -> Confusion:
        """Without rows and columns in which there is nothing."""
        used = (self.counts.sum(axis=0) + self.counts.sum(axis=1)) > 0
        names = tuple(n for n, keep in zip(self.names, used, strict=True) if keep)
        return Confusion(names, self.counts[used][:, used])
