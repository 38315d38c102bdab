"""`ColumnBins`: into which bins the values of one column are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10
"""Bins of equal mass, as many as TFDV's histograms have."""
WORDS = 100
"""Texts counted one by one, the most frequent ones; all others are one bin."""
MISSING = "missing"
OTHER = "(others)"


@dataclass(frozen=True)
class ColumnBins:
    """Bins that are fixed by the training rows; the last one is for missing values.

    Numbers: one bin below all training values, bins of about equal mass between quantiles of the
    training values, one above all of them. Texts: one for each frequent text, one for the others.

    Attributes:
        edges: float64, ascending; of numbers.
        words: Of texts; None for a column of numbers.
    """

    edges: npt.NDArray[np.float64]
    words: tuple[str, ...] | None = None

    @classmethod
    def of_numbers(cls, values: npt.ArrayLike) -> ColumnBins:
        """Bins for numbers like `values`; nan is left out."""
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        if not len(known):
            return cls(np.zeros(1))
        cuts = np.quantile(known, np.linspace(0, 1, BINS + 1), method="inverted_cdf")
        # The largest value belongs to a bin, not above all of them.
        return cls(np.unique([*cuts, np.nextafter(cuts[-1], np.inf)]))

    @classmethod
    def of_texts(cls, counts: Counter[str]) -> ColumnBins:
        """Bins for texts that were counted in training."""
        frequent = [word for word, _ in counts.most_common(WORDS)]
        return cls(np.zeros(0), tuple(sorted(frequent)))

    @property
    def is_text(self) -> bool:
        """Whether the column holds texts."""
        return self.words is not None

    @property
    def size(self) -> int:
        """Number of bins, the one for missing values included."""
        return len(self.edges) + 2 if self.words is None else len(self.words) + 2

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, in words."""
        if self.words is not None:
            return (*self.words, OTHER, MISSING)
        bounds = [f"{edge:.4g}" for edge in self.edges]
        inner = [f"{a} to {b}" for a, b in pairwise(bounds)]
        return (f"below {bounds[0]}", *inner, f"{bounds[-1]} and above", MISSING)

    def index(self, values: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The bin of each value.

        Args:
            values: Numbers, nan where missing; or texts, None where missing.

        Returns:
            int64 `[values]`.
        """
        if self.words is None:
            numbers = np.asarray(values, np.float64)
            found = np.searchsorted(self.edges, numbers, side="right").astype(np.int64)
            found[np.isnan(numbers)] = self.size - 1
            return found
        place = {word: i for i, word in enumerate(self.words)}
        other, missing = len(self.words), self.size - 1
        return np.asarray([missing if v is None else place.get(v, other) for v in values], np.int64)

    def count(self, values: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """How many of `values` fall into each bin, int64 `[bins]`."""
        return np.bincount(self.index(values), minlength=self.size)
