"""`SequenceEvaluation`: what a backtest of sequences found, as `evaluation.json` keeps it."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from components.backtest.evaluation import CANDIDATE, CHAMPION, Number, Verdict, number
from models.metrics.calibration import Reliability
from models.metrics.confusion import Confusion
from models.section import Section
from models.sequences.spec import Task

__all__ = ["CANDIDATE", "CHAMPION", "Number", "Verdict", "number"]
FORMAT = 1
MOST_CLASSES = 200
"""Classes in `per_class` of `evaluation.json`; `per_class.csv` has them all."""


class SequenceScores(Section):
    """Metrics of one model over all test labels.

    `log_loss` is in nats; `perplexity` is its exponential. `calibration_error` is 0 where a model
    is right as often as it says. `span_f1` is null unless the classes are labels of spans (`B-x`,
    `I-x`, `O`). See `models.metrics.classification.ClassScores` for labels of unknown classes.
    """

    accuracy: Number
    macro_f1: Number
    log_loss: Number
    perplexity: Number
    calibration_error: Number
    span_f1: Number


class ClassResult(Section):
    """One class; `predicted` is how often it was, right or wrong."""

    support: int
    predicted: int
    precision: Number
    recall: Number
    f1: Number


class ReliabilityResult(Section):
    """Confidence against accuracy in bins of equal width from 0 to 1."""

    count: tuple[int, ...]
    confidence: tuple[Number, ...]
    accuracy: tuple[Number, ...]

    @classmethod
    def of(cls, found: Reliability) -> ReliabilityResult:
        """The section of a reliability curve."""
        return cls(
            count=tuple(int(n) for n in found.count),
            confidence=tuple(number(v) for v in found.confidence),
            accuracy=tuple(number(v) for v in found.accuracy),
        )


class ConfusionResult(Section):
    """Labels by true class (rows) and predicted class (columns), see `Confusion`."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @field_validator("counts", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        # `Section` makes tuples of the outer lists of JSON only.
        return tuple(tuple(row) for row in value) if isinstance(value, (list, tuple)) else value

    @classmethod
    def of(cls, found: Confusion) -> ConfusionResult:
        """The section of a confusion."""
        counts = tuple(tuple(int(n) for n in row) for row in found.counts)
        return cls(names=found.names, counts=counts)


class SequenceComparison(Section):
    """Paired test of the candidate against another model, see `SequenceTest`.

    `difference` is the candidate's metric minus the other's; `p_better` is small when the
    candidate is better and that is no accident.
    """

    other: str
    metric: str
    test: str
    sequences: int
    differing: int
    difference: Number
    p_two_sided: Number
    p_better: Number
    resamples: int


class SequenceChampionReport(Section):
    """The champion, whether it was compared, and if not why.

    `same_model` says that the candidate is the champion already, `same_as` names the baseline that
    it is, if one.
    """

    version: str
    digest: str
    compared: bool
    same_model: bool
    same_as: str
    reason: str


class SequenceEvaluation(Section):
    """A backtest. Keys are stable: new ones may be added, none is renamed or removed.

    Attributes:
        format: Version of this layout.
        task: classify, tag or next_step.
        metric: The gate's metric.
        higher_is_better: Of that metric.
        sequences: Test sequences.
        labels: Labels in them.
        unknown_labels: Those whose class is not in the train split; they count as wrong.
        classes: Number of classes.
        models: By `candidate`, `champion` (where compared) and each baseline.
        per_class: Of the candidate, by class, those with most labels if there are many.
        classes_left_out: Classes that are not in `per_class` for that reason.
        confusion: Of the candidate and of the best baseline.
        reliability: By model.
        best_baseline: The baseline with the best value of `metric`.
        comparisons: Of the candidate with every other model.
        champion: Null when there is none.
        winner: What is blessed: `candidate`, a baseline, or null.
        verdict: The gate's.
    """

    format: int = FORMAT
    task: Task
    metric: str
    higher_is_better: bool
    sequences: int
    labels: int
    unknown_labels: int
    classes: int
    models: dict[str, SequenceScores]
    per_class: dict[str, ClassResult]
    classes_left_out: int
    confusion: dict[str, ConfusionResult]
    reliability: dict[str, ReliabilityResult]
    best_baseline: str | None
    comparisons: tuple[SequenceComparison, ...]
    champion: SequenceChampionReport | None
    winner: str | None
    verdict: Verdict
