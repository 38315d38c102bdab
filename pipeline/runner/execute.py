"""The part of a run that needs TFX: builds the graph, launches it, gathers what it came to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.monitor.report import read as read_monitor
from components.push.repository import ModelRepository
from components.tracking.session import RunTracker
from components.tune.result import summary
from components.validation.schema_file import publish_schema
from models.training.machine import claim_threads
from pipeline import graph
from pipeline.config import Config, LoadedConfig
from pipeline.runner import launch
from pipeline.runner.conclude import conclude
from pipeline.runner.display import Display
from pipeline.runner.drift import heed, held, report_of
from pipeline.runner.report import publish
from pipeline.runner.result import NodeResult, PushResult, RunResult
from pipeline.tasks import task_of
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.runner.spans import SpansOutcome

ALWAYS = ("push",)
"""Never from the cache: whether a model is live is a fact of the serving directory."""


def close_interrupted(loaded: LoadedConfig) -> int:
    """Marks what a killed run left open in ML Metadata as failed; the workspace is locked."""
    return launch.close_orphans(graph.database(loaded))


def execute(
    loaded: LoadedConfig,
    run_id: str,
    champion: str,
    tracker: RunTracker,
    display: Display,
    since: float,
    *,
    use_cache: bool,
    force: bool,
    seen: Callable[[launch.NodeOutcome], None] = lambda _: None,
) -> RunResult:
    """Runs every component and finishes the tracking run.

    Args:
        loaded: The configuration.
        run_id: Id of the run.
        champion: The backtest's champion parameter.
        tracker: Started.
        display: Shown what happens.
        since: `time.monotonic()` at the start of the run.
        use_cache: Whether earlier artifacts may be re-used.
        force: Whether a model that was rolled back may be pushed again.
        seen: Called with the outcome of each component.

    Raises:
        ElmanError: As raised by a component.
    """
    claim_threads(loaded.config.train, loaded.config.model)
    task = task_of(loaded)
    spans = _spans(loaded, run_id, tracker, display, use_cache=use_cache)
    outcomes: dict[str, launch.NodeOutcome] = {}
    for outcome in launch.launch(
        task.graph(champion=champion, force=force, spans=spans.entries if spans else ()),
        run_id=run_id,
        around=tracker.component,
        display=display,
        always=ALWAYS,
        use_cache=use_cache,
        describe=partial(_detail, task),
    ):
        outcomes[outcome.node] = outcome
        seen(outcome)
        tracker.tag_execution(outcome.node, outcome.execution_id, cached=outcome.cached)
        if outcome.node == "ingest":
            _name_data(loaded, task, tracker, outcome.outputs["examples"])
        if outcome.node == "schema" and publish_schema(
            outcome.outputs["schema"], loaded.schema_path
        ):
            display.say(f"    wrote {loaded.schema_path}: review it and commit it")
        if heed(outcome):
            break
    # The monitor is the only reason to end before the last component.
    gather = _result if "push" in outcomes else held
    result = gather(loaded, task, run_id, tracker, outcomes, time.monotonic() - since)
    if spans is not None:
        result = result.model_copy(update={"spans": spans.summary})
    report = publish(loaded, result, outcomes, tracker, display)
    verdict = "held" if result.held else "blessed" if result.blessed else "not blessed"
    conclude(tracker, result, outcomes, verdict=verdict, report=report)
    return result.model_copy(update={"report": str(report or "")})


def _spans(
    loaded: LoadedConfig, run_id: str, tracker: RunTracker, display: Display, *, use_cache: bool
) -> SpansOutcome | None:
    if not isinstance(loaded.config, Config) or loaded.config.data.spans is None:
        return None
    from pipeline.runner.spans import ingest_spans

    return ingest_spans(loaded, run_id, tracker, display, use_cache=use_cache)


def _detail(task: Task, outcome: launch.NodeOutcome) -> str:
    """One line on what a component came to."""
    out = outcome.outputs
    if outcome.node == "ingest":
        return task.rows(out["examples"])
    if outcome.node == "windows":
        return ", ".join(f"{split} {n:,}" for split, n in task.counts(out["windows"]).items())
    if outcome.node == "tune":
        return summary(out["hyperparameters"]).words
    if outcome.node == "tuned_windows":
        return ", ".join(f"{split} {n:,}" for split, n in task.counts(out["tuned"]).items())
    if outcome.node == "monitor":
        return read_monitor(out["monitor"]).summary
    if outcome.node == "train":
        history = json.loads((out["model"] / "history.json").read_text())
        start = history.get("warm_start", {})
        warm = f", from the weights of version {start['version']}" if start.get("warm") else ""
        return f"best epoch {history['best_epoch']} of {history['epochs_run']}{warm}"
    if outcome.node == "backtest":
        return str(_evaluation(out["evaluation"])["verdict"]["summary"])
    if outcome.node == "push":
        return str(json.loads((out["pushed_model"] / "push.json").read_text())["reason"])
    return ""


def _evaluation(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "evaluation.json").read_text())
    return data


def _name_data(loaded: LoadedConfig, task: Task, tracker: RunTracker, examples: Path) -> None:
    data = task.source(examples)
    tracker.log_dataset(
        loaded.config.name,
        source=data.source,
        digest=data.digest,
        schema=data.schema,
        profile=data.profile,
    )
    tracker.recorder.tags(dict(data.tags))


def _result(
    loaded: LoadedConfig,
    task: Task,
    run_id: str,
    tracker: RunTracker,
    outcomes: Mapping[str, launch.NodeOutcome],
    seconds: float,
) -> RunResult:
    examples = outcomes["ingest"].outputs["examples"]
    tune, retold = outcomes.get("tune"), outcomes.get("tuned_windows")
    store = (
        retold.outputs["tuned"] if retold is not None else outcomes["windows"].outputs["windows"]
    )
    evaluation = _evaluation(outcomes["backtest"].outputs["evaluation"])
    pushed = json.loads((outcomes["push"].outputs["pushed_model"] / "push.json").read_text())
    verdict, monitor = evaluation["verdict"], report_of(outcomes)
    return RunResult(
        name=loaded.config.name,
        run_id=run_id,
        data=task.data(examples, store),
        unit=task.unit,
        windows=task.counts(store),
        metric=evaluation["metric"],
        higher_is_better=task.higher_is_better,
        shown=task.metrics(),
        models=evaluation["models"],
        blessed=verdict["blessed"],
        winner=evaluation["winner"],
        drift="" if monitor is None else monitor.summary,
        tuning=None if tune is None else summary(tune.outputs["hyperparameters"]),
        summary=verdict["summary"],
        reasons=tuple(verdict["reasons"]),
        push=PushResult(
            pushed=pushed["pushed"],
            version=pushed["version"],
            directory=pushed["directory"],
            reason=pushed["reason"],
        ),
        live=ModelRepository(loaded.serving_directory).live(),
        mlflow_uri=tracker.store.shown,
        mlflow_run_id=tracker.run_id,
        nodes=tuple(NodeResult.of(outcome) for outcome in outcomes.values()),
        seconds=round(seconds, 3),
    )
