"""What a backtest tells the tracking store."""

from __future__ import annotations

from components.backtest.evaluate import Backtest
from components.backtest.evaluation import CANDIDATE, CHAMPION, Evaluation, ModelScores
from components.backtest.figures import figures
from components.tracking.recorder import current
from models.metrics.scores import METRICS
from models.windows.store import SeriesStore

FIELDS = (*METRICS, "skill")


def record(store: SeriesStore, backtest: Backtest) -> None:
    """Sends metrics, horizon curves, figures, the evaluation and the verdict to the recorder.

    Metrics: `test_<metric>` of the candidate, `champion_<metric>`, `baseline_<name>_<metric>`;
    with the horizon step as step, `test_horizon_<metric>` and the same with the other prefixes.

    Args:
        store: The windows.
        backtest: What was found on them.
    """
    evaluation, recorder = backtest.evaluation, current()
    for name, scores in evaluation.models.items():
        recorder.metrics(_metrics(_prefix(name), scores))
    recorder.metrics({"test_windows": float(evaluation.windows)})
    for step in range(evaluation.horizon):
        recorder.metrics(_at_step(evaluation, step), step=step + 1)
    for path, figure in figures(store, backtest):
        recorder.figure(figure, path)
    recorder.data(evaluation.model_dump(mode="json"), "evaluation.json")
    verdict = evaluation.verdict
    recorder.tags(
        {
            "verdict": verdict.summary,
            "blessed": str(verdict.blessed).lower(),
            "winner": evaluation.winner or "",
        }
    )
    champion = evaluation.champion
    if champion is not None:
        recorder.tags({"champion_version": champion.version})
        if not champion.compared and not champion.same_model:
            recorder.warn(
                f"the champion (version {champion.version}) was not compared: {champion.reason}"
            )


def _prefix(name: str) -> str:
    return {CANDIDATE: "test", CHAMPION: "champion"}.get(name, f"baseline_{name}")


def _metrics(prefix: str, scores: ModelScores) -> dict[str, float]:
    values = {f"{prefix}_{field}": getattr(scores, field) for field in FIELDS}
    return {name: value for name, value in values.items() if value is not None}


def _at_step(evaluation: Evaluation, step: int) -> dict[str, float]:
    values = {}
    for name, along in evaluation.per_horizon.items():
        # Every metric of the candidate; of the others the one that decides.
        chosen = METRICS if name == CANDIDATE else (evaluation.metric,)
        for metric in chosen:
            value = along.of(metric)[step]
            if value is not None:
                values[f"{_prefix(name)}_horizon_{metric}"] = value
    return values
