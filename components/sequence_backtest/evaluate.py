"""Network, baselines and champion on the same test sequences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from components.sequence_backtest.champion import SequenceChampionEntry
from components.sequence_backtest.compare import compare
from components.sequence_backtest.config import (
    HIGHER_IS_BETTER,
    SequenceGateConfig,
    SequenceMetric,
)
from components.sequence_backtest.evaluation import (
    CANDIDATE,
    CHAMPION,
    MOST_CLASSES,
    ClassResult,
    ConfusionResult,
    ReliabilityResult,
    SequenceChampionReport,
    SequenceComparison,
    SequenceEvaluation,
    SequenceScores,
    number,
)
from components.sequence_backtest.verdict import Standings, verdict_of
from models.errors import BadInputError, FailedRunError
from models.metrics.calibration import Reliability
from models.metrics.classification import CLASS_METRICS, ClassScores, correct
from models.metrics.confusion import Confusion
from models.metrics.paired_sequences import SequenceTest
from models.metrics.spans import SpanScores, marks_spans
from models.sequences.predictions import SequencePredictions
from models.sequences.store import SequenceStore
from models.sequences.view import SequenceView


@dataclass(frozen=True)
class ScoredBaseline:
    """A baseline as the backtest finds it.

    Attributes:
        predictions: Of every test label.
        folder: Laid out like a Model artifact; None where it cannot be served.
        refusal: Why not.
    """

    predictions: SequencePredictions
    folder: Path | None = None
    refusal: str = ""


@dataclass(frozen=True)
class SequenceBacktest:
    """An evaluation and what it was made from.

    Attributes:
        evaluation: For `evaluation.json`.
        scores: By model, in the order of `evaluation.models`.
        classes: Their names, in the order of the scores.
    """

    evaluation: SequenceEvaluation
    scores: Mapping[str, ClassScores]
    classes: tuple[str, ...]


def evaluate(
    store: SequenceStore,
    candidate: SequencePredictions,
    baselines: Mapping[str, ScoredBaseline],
    champion: SequenceChampionEntry | None,
    *,
    gate: SequenceGateConfig,
) -> SequenceBacktest:
    """Scores all models on the test sequences of `store` and applies the gate.

    Args:
        store: The sequences.
        candidate: Of every test label, what the network says.
        baselines: By name.
        champion: None when there is none.
        gate: The rule.

    Raises:
        BadInputError: If there is no label to score, or the gate asks for a baseline that was not
            scored.
        FailedRunError: If predictions do not belong to these sequences.
    """
    view = store.view("test")
    labels = view.labels()
    predictions = {CANDIDATE: candidate}
    if champion is not None and champion.predictions is not None:
        predictions[CHAMPION] = champion.predictions
    predictions |= {name: baseline.predictions for name, baseline in baselines.items()}
    _require(len(labels), predictions, gate)
    metric = gate.metric_of(store.spec.task)
    scores = {n: ClassScores.of(labels, p, len(store.classes)) for n, p in predictions.items()}
    curves = {
        name: Reliability.of(p.confidence, correct(labels, p)) for name, p in predictions.items()
    }
    values = {name: s.overall[metric] for name, s in scores.items()}

    @cache
    def test(name: str, other: str) -> SequenceTest:
        return compare(view, metric, predictions[name], predictions[other])

    best = _best(metric, {name: values[name] for name in baselines})
    gaps = {name: int(np.count_nonzero(np.isnan(p.confidence))) for name, p in predictions.items()}
    standings = Standings(
        values=values,
        p_better=lambda name, other: test(name, other).p_better,
        size=len(view),
        gaps={name: n for name, n in gaps.items() if n},
        folders={n: b.folder for n, b in baselines.items() if b.folder is not None},
        refusals={n: b.refusal for n, b in baselines.items() if b.refusal},
    )
    verdict, winner = verdict_of(gate, metric, tuple(baselines), standings, champion)
    shown = [CANDIDATE, *([best] if best else [])]
    per_class = _per_class(scores[CANDIDATE], store.classes)
    evaluation = SequenceEvaluation(
        task=store.spec.task,
        metric=metric,
        higher_is_better=HIGHER_IS_BETTER[metric],
        sequences=len(view),
        labels=len(labels),
        unknown_labels=scores[CANDIDATE].unknown,
        classes=len(store.classes),
        models={
            name: _scores(view, predictions[name], scores[name], curves[name])
            for name in predictions
        },
        per_class=per_class,
        classes_left_out=len(store.classes) - len(per_class),
        confusion={
            name: ConfusionResult.of(Confusion.of(labels, predictions[name], store.classes))
            for name in shown
        },
        reliability={name: ReliabilityResult.of(curve) for name, curve in curves.items()},
        best_baseline=best,
        comparisons=tuple(
            _comparison(name, metric, test(CANDIDATE, name))
            for name in predictions
            if name != CANDIDATE
        ),
        champion=None if champion is None else _report(champion),
        winner=winner,
        verdict=verdict,
    )
    return SequenceBacktest(evaluation, scores, store.classes)


def _require(
    labels: int, predictions: Mapping[str, SequencePredictions], gate: SequenceGateConfig
) -> None:
    if not labels:
        raise BadInputError(
            "there is no test sequence to score the model on: use a larger split.test, or more data"
        )
    missing = [name for name in gate.beats or () if name not in predictions]
    if missing:
        raise BadInputError(
            f"gate.beats names {missing}, but baselines.names holds only "
            f"{[n for n in predictions if n not in (CANDIDATE, CHAMPION)]}: add them there or "
            "take them out of the gate"
        )
    for name, found in predictions.items():
        if len(found) != labels:
            raise FailedRunError(
                f"there are {len(found)} predictions of {name}, but {labels} labels in the test "
                "sequences: they were made for others; run the pipeline again"
            )


def _comparison(other: str, metric: SequenceMetric, test: SequenceTest) -> SequenceComparison:
    return SequenceComparison(
        other=other,
        metric=metric,
        test=test.test,
        sequences=test.sequences,
        differing=test.differing,
        difference=number(test.difference),
        p_two_sided=number(test.p_two_sided),
        p_better=number(test.p_better),
        resamples=test.resamples,
    )


def _best(metric: SequenceMetric, values: Mapping[str, float]) -> str | None:
    finite = [name for name, value in values.items() if math.isfinite(value)]
    sign = -1 if HIGHER_IS_BETTER[metric] else 1
    return min(finite, key=lambda name: sign * values[name], default=None)


def _scores(
    view: SequenceView, predictions: SequencePredictions, scores: ClassScores, curve: Reliability
) -> SequenceScores:
    classes, span_f1 = view.store.classes, math.nan
    if view.store.spec.task == "tag" and marks_spans(classes):
        span_f1 = SpanScores.of(view.labels(), predictions, classes, view.outcomes).f1
    return SequenceScores(
        calibration_error=number(curve.error),
        span_f1=number(span_f1),
        **{name: number(scores.overall[name]) for name in CLASS_METRICS},
    )


def _per_class(scores: ClassScores, classes: tuple[str, ...]) -> dict[str, ClassResult]:
    precision, recall, f1 = scores.precision, scores.recall, scores.f1
    kept = np.sort(np.argsort(-scores.support, kind="stable")[:MOST_CLASSES])
    return {
        classes[i]: ClassResult(
            support=int(scores.support[i]),
            predicted=int(scores.predicted[i]),
            precision=number(precision[i]),
            recall=number(recall[i]),
            f1=number(f1[i]),
        )
        for i in kept
    }


def _report(entry: SequenceChampionEntry) -> SequenceChampionReport:
    return SequenceChampionReport(
        version=entry.champion.version,
        digest=entry.champion.digest,
        compared=entry.predictions is not None,
        same_model=entry.same_model,
        same_as=entry.same_as,
        reason=entry.reason,
    )
