"""What a run came to, as MLflow shows it: metrics, tags, a description in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.backtest.winner import CANDIDATE
from components.monitor.report import read as read_monitor
from components.tracking.pages import run_page
from models.errors import BadInputError
from models.training.gradient_flow.flow import GradientFlow
from models.training.history import TrainingHistory
from pipeline.config import LoadedConfig
from pipeline.runner.display import Display
from pipeline.runner.report import FILE, publish_failure
from pipeline.runner.result import RunResult

if TYPE_CHECKING:
    from components.tracking.session import RunTracker
    from pipeline.runner.launch import NodeOutcome

CURVES = ("loss", "val_loss", "learning_rate", "gradient_norm")
_OURS = {CANDIDATE: "test", "champion": "champion"}
_LINKED = ("ingest", "monitor", "tune", "train", "backtest")


def conclude(
    tracker: RunTracker,
    result: RunResult,
    outcomes: Mapping[str, NodeOutcome],
    *,
    verdict: str,
    report: Path | None,
) -> None:
    """Records what the run came to and ends its tracking run.

    Metrics, so named that MLflow draws those of one group together: `test/<metric>` of the
    candidate and `champion/<metric>`; `baselines/<name>`, the gate's metric of each;
    `by_epoch/<curve>`; `by_horizon/<model>`, the gate's metric; `training/...`, `data/...`,
    `windows/<split>`, `drift/<check>` (the largest value over its limit: above 1 is drift) and
    `run/...`.

    Args:
        tracker: Started.
        result: What the run came to.
        outcomes: Of its components.
        verdict: One word or two: `blessed`, `not blessed`, `held`.
        report: The report's file; None if there is none.

    Raises:
        FailedRunError: If the store cannot be used.
    """
    tracker.recorder.metrics(dict(_figures(result, outcomes)))
    tracker.recorder.courses(dict(_courses(result, outcomes)))
    tags = {
        "elman.verdict": verdict,
        "elman.summary": result.summary,
        "elman.winner": result.winner or "",
        "elman.pushed": str(result.push.version) if result.push.pushed else "",
        "elman.live": str(result.live or ""),
    }
    tracker.finish(
        "FINISHED",
        {name: text for name, text in tags.items() if text},
        description="\n".join(_description(tracker, result, report)),
    )


def _figures(result: RunResult, outcomes: Mapping[str, NodeOutcome]) -> Iterator[tuple[str, float]]:
    for model, figures in result.models.items():
        for name, value in figures.items():
            if value is not None and model in _OURS:
                yield f"{_OURS[model]}/{name}", value
            elif value is not None and name == result.metric:
                # The others are in the run of the backtest.
                yield f"baselines/{model}", value
    yield from ((f"windows/{split}", float(n)) for split, n in result.windows.items())
    yield "data/rows", float(result.data.rows)
    yield "data/rows_dropped", float(result.data.dropped)
    yield "run/seconds", result.seconds
    yield "run/reused", float(sum(node.cached for node in result.nodes))
    if "ingest" in outcomes:
        ingested = _read(outcomes, "ingest", "examples", "report.json")
        for name in ("holes", "missing_steps", "longest_hole"):
            if name in ingested:
                yield f"data/{name}", float(ingested[name])
    if "train" in outcomes:
        history = _history(outcomes)
        yield "training/best_epoch", float(history.best_epoch)
        yield "training/best_val_loss", history.best_val_loss
        yield "training/parameters", float(history.parameters)
        if history.gradient_flow:
            flow = GradientFlow.from_json(history.gradient_flow[-1])
            yield "training/gradient_reach", float(flow.reach)
    if "monitor" in outcomes:
        for check in read_monitor(outcomes["monitor"].outputs["monitor"]).checks:
            excess = [f.value / f.limit for f in check.findings if f.limit > 0]
            if excess:
                yield f"drift/{check.name}", max(excess)


def _courses(
    result: RunResult, outcomes: Mapping[str, NodeOutcome]
) -> Iterator[tuple[str, Sequence[float | None]]]:
    if "train" in outcomes:
        epochs = _history(outcomes).epochs
        yield from ((f"by_epoch/{name}", epochs[name]) for name in CURVES)
    if "backtest" in outcomes:
        evaluation = _read(outcomes, "backtest", "evaluation", "evaluation.json")
        for model, along in evaluation.get("per_horizon", {}).items():
            yield f"by_horizon/{model}", along.get(result.metric, [])


def _read(outcomes: Mapping[str, NodeOutcome], node: str, key: str, file: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((outcomes[node].outputs[key] / file).read_text())
    return data


def _history(outcomes: Mapping[str, NodeOutcome]) -> TrainingHistory:
    folder = outcomes["train"].outputs["model"]
    return TrainingHistory.from_json((folder / "history.json").read_text())


def _description(tracker: RunTracker, result: RunResult, report: Path | None) -> Iterator[str]:
    yield f"**{result.summary}**"
    yield ""
    # MLflow folds what is below the first lines.
    yield " · ".join(links(tracker, report))
    yield ""
    yield f"{result.data.words}."
    yield ""
    if result.models:
        yield from _table(result)
        yield ""
    yield from (f"- {reason}" for reason in result.reasons)
    yield ""
    live = f"version {result.live}" if result.live is not None else "no version"
    yield f"Pushed: {result.push.reason}. Serving now: {live}."


def _table(result: RunResult) -> Iterator[str]:
    shown = result.shown
    marks = (f"{n.upper()} (gate)" if n == result.metric else n.upper() for n in shown)
    yield f"| on the test {result.unit} | {' | '.join(marks)} |"
    yield f"|---|{'---:|' * len(shown)}"
    for model, figures in result.models.items():
        values = (figures.get(name) for name in shown)
        cells = " | ".join("–" if v is None else f"{v:.4g}" for v in values)
        name = f"**{model}**" if model == CANDIDATE else model
        yield f"| {name} | {cells} |"


def links(tracker: RunTracker, report: Path | None) -> Iterator[str]:
    """Links to the report and to the runs of components, in Markdown.

    Args:
        tracker: Of the run.
        report: The report's file; None if there is none.
    """
    if report is not None:
        yield f"[Report]({run_page(tracker.experiment_id, tracker.run_id, FILE)})"
    for component in _LINKED:
        if component in tracker.nested:
            page = run_page(tracker.experiment_id, tracker.nested[component])
            yield f"[{component}]({page})"


def conclude_failure(
    loaded: LoadedConfig,
    run_id: str,
    tracker: RunTracker,
    display: Display,
    error: BaseException,
    words: str,
    outcomes: Sequence[NodeOutcome],
) -> None:
    """Writes the short report of a run that `error` has ended, and ends its tracking run.

    Args:
        loaded: The configuration.
        run_id: Id of the run.
        tracker: Started.
        display: Told when the report cannot be made.
        error: What ended the run.
        words: The same for people, without secrets.
        outcomes: Of the components that finished.

    Raises:
        FailedRunError: If the store cannot be used.
    """
    interrupted = isinstance(error, KeyboardInterrupt)
    blocked = isinstance(error, BadInputError)
    verdict = "interrupted" if interrupted else "blocked" if blocked else "failed"
    log = loaded.workspace / "logs" / f"{run_id}.log"
    report = publish_failure(
        loaded,
        run_id,
        tracker,
        display,
        verdict=verdict,
        error=error,
        words=words,
        outcomes=outcomes,
        log=log,
    )
    if report is not None:
        display.say(f"report: {report}")
    where = f" in {tracker.failed}" if tracker.failed else ""
    lines = [
        f"**{verdict.capitalize()}{where}.** {words}",
        "",
        " · ".join(links(tracker, report)),
        "",
        f"Log: `{log}`",
    ]
    tracker.finish(
        "KILLED" if interrupted else "FAILED",
        {"elman.verdict": verdict, "elman.summary": words, "elman.failed": tracker.failed},
        description="\n".join(lines),
        error=error,
    )
