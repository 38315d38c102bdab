"""What a backtest of sequences tells the tracking store."""

from __future__ import annotations

from components.sequence_backtest.evaluation import (
    CANDIDATE,
    CHAMPION,
    SequenceEvaluation,
    SequenceScores,
)
from components.sequence_backtest.figures import figures
from components.tracking.recorder import current


def record(evaluation: SequenceEvaluation) -> None:
    """Sends metrics, figures, the evaluation and the verdict to the recorder.

    Metrics: `test_<metric>` of the candidate, `champion_<metric>`, `baseline_<name>_<metric>`.

    Args:
        evaluation: What was found.
    """
    recorder = current()
    for name, scores in evaluation.models.items():
        recorder.metrics(_metrics(_prefix(name), scores))
    recorder.metrics(
        {
            "test_sequences": float(evaluation.sequences),
            "test_labels": float(evaluation.labels),
            "test_unknown_labels": float(evaluation.unknown_labels),
        }
    )
    for path, figure in figures(evaluation):
        recorder.figure(figure, path)
    recorder.data(evaluation.model_dump(mode="json"), "evaluation.json")
    verdict, champion = evaluation.verdict, evaluation.champion
    recorder.tags(
        {
            "verdict": verdict.summary,
            "blessed": str(verdict.blessed).lower(),
            "winner": evaluation.winner or "",
        }
    )
    if evaluation.unknown_labels:
        recorder.warn(
            f"{evaluation.unknown_labels} of {evaluation.labels} test labels are of classes that "
            "the train split does not have; no model can get them right"
        )
    if champion is not None:
        recorder.tags({"champion_version": champion.version})
        if not champion.compared and not champion.same_model:
            recorder.warn(
                f"the champion (version {champion.version}) was not compared: {champion.reason}"
            )


def _prefix(name: str) -> str:
    return {CANDIDATE: "test", CHAMPION: "champion"}.get(name, f"baseline_{name}")


def _metrics(prefix: str, scores: SequenceScores) -> dict[str, float]:
    values = scores.model_dump()
    return {f"{prefix}_{name}": value for name, value in values.items() if value is not None}
