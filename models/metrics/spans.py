"""F1 of the spans that labels such as B-city, I-city and O mark."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.sequences.predictions import SequencePredictions

Ints = npt.NDArray[np.int64]
LABEL = re.compile(r"O|[BI]-(?P<type>.+)", re.DOTALL)


def marks_spans(classes: tuple[str, ...]) -> bool:
    """Whether the classes are labels of spans: `O`, `B-x` and `I-x` only, and one `B-x` at least.

    Ramshaw and Marcus (1995), "Text chunking using transformation-based learning", third workshop
    on very large corpora; here in the form IOB2, in which every span begins with B.
    """
    return all(LABEL.fullmatch(c) for c in classes) and any(c.startswith("B-") for c in classes)


@dataclass(frozen=True)
class SpanScores:
    """Spans counted as the shared task CoNLL-2000 does.

    A span is found if its type, its first and its last step are all right. Tjong Kim Sang and
    Buchholz (2000), "Introduction to the CoNLL-2000 shared task: chunking".

    Attributes:
        support: Spans of the labels. A step with an unknown label is a span of its own here, which
            cannot be found.
        predicted: Spans of the predictions.
        correct: Spans that are both.
    """

    support: int
    predicted: int
    correct: int

    @classmethod
    def of(
        cls,
        labels: npt.NDArray[np.int32],
        predictions: SequencePredictions,
        classes: tuple[str, ...],
        outcomes: Ints,
    ) -> SpanScores:
        """Scores of the spans of some sequences.

        Args:
            labels: int32 `[outcomes.sum()]`, sequence after sequence; -1 where unknown.
            predictions: Of the same labels.
            classes: Names that mark spans, see `marks_spans`.
            outcomes: int64 `[sequences]`: labels of each sequence.
        """
        first = np.zeros(len(labels), np.bool_)
        starts = np.cumsum(outcomes) - outcomes
        first[starts[outcomes > 0]] = True
        guess = np.where(np.isnan(predictions.probability), -1, predictions.predicted)
        true, found = _spans(labels, classes, first), _spans(guess, classes, first)
        both = np.intersect1d(true[0], found[0], return_indices=True)
        same = (true[1][both[1]] == found[1][both[2]]) & (true[2][both[1]] == found[2][both[2]])
        unknown = int(np.count_nonzero(labels < 0))
        return cls(len(true[0]) + unknown, len(found[0]), int(np.count_nonzero(same)))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; nan where there is no span at all."""
        both = self.support + self.predicted
        return 2 * self.correct / both if both else math.nan


def _spans(
    index: npt.NDArray[np.int32], classes: tuple[str, ...], first: npt.NDArray[np.bool_]
) -> tuple[Ints, Ints, Ints]:
    """First step, step behind the last, and type of every span; I begins one where it follows no
    span of its type.
    """
    matches = [LABEL.fullmatch(name) for name in classes]
    names = [m["type"] if m is not None else None for m in matches]
    types = sorted({name for name in names if name is not None})
    # The last entry is where index -1 points to; no type is -1 too.
    type_of = np.array([-1 if n is None else types.index(n) for n in names] + [-1], np.int64)[index]
    begins = np.array([c.startswith("B-") for c in classes] + [False])[index]
    before = np.concatenate(([-1], type_of[:-1])) if len(type_of) else type_of
    inside = (type_of >= 0) & ~begins & ~first & (before == type_of)
    start = np.flatnonzero((type_of >= 0) & ~inside)
    outside = np.append(np.flatnonzero(~inside), len(index))
    stop = outside[np.searchsorted(outside, start, side="right")]
    return start, stop, type_of[start]
