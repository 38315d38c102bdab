"""What a run does about the monitor's decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.monitor.report import MonitorReport, read
from components.push.repository import ModelRepository
from models.errors import BadInputError
from pipeline.config import LoadedConfig
from pipeline.runner.result import NodeResult, PushResult, RunResult
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from components.tracking.session import RunTracker
    from pipeline.runner.launch import NodeOutcome

NODE = "monitor"


def report_of(outcomes: Mapping[str, NodeOutcome]) -> MonitorReport | None:
    """What the monitor of this run found; None if it did not run."""
    outcome = outcomes.get(NODE)
    return None if outcome is None else read(outcome.outputs[NODE])


def heed(outcome: NodeOutcome) -> bool:
    """Whether the run is over after this component, because the champion still holds.

    Args:
        outcome: Of any component.

    Raises:
        BadInputError: If the monitor decided to stop the run.
    """
    if outcome.node != NODE:
        return False
    folder = outcome.outputs[NODE]
    report = read(folder)
    if report.decision == "stop":
        raise BadInputError(
            f"{report.summary}. Nothing was trained, and what serves is untouched. Correct the "
            "data; or, if it is right, give that check of the section drift another action "
            f"(warn, retrain) or a higher threshold. What was found: {folder}"
        )
    return report.decision == "hold"


def held(
    loaded: LoadedConfig,
    task: Task,
    run_id: str,
    tracker: RunTracker,
    outcomes: Mapping[str, NodeOutcome],
    seconds: float,
) -> RunResult:
    """The result of a run that ended after the monitor.

    Args:
        loaded: The configuration of a forecast.
        task: Its task.
        run_id: Id of the run.
        tracker: Of the run.
        outcomes: Of the components that ran.
        seconds: Since the start of the run.
    """
    report = read(outcomes[NODE].outputs[NODE])
    store = outcomes["windows"].outputs["windows"]
    repository = ModelRepository(loaded.serving_directory)
    return RunResult(
        name=loaded.config.name,
        run_id=run_id,
        data=task.data(outcomes["ingest"].outputs["examples"], store),
        unit=task.unit,
        windows=task.counts(store),
        metric=loaded.forecast.gate.metric,
        higher_is_better=task.higher_is_better,
        shown=task.metrics(),
        models={},
        blessed=False,
        held=True,
        drift=report.summary,
        summary=report.summary,
        reasons=report.reasons,
        push=PushResult(
            pushed=False,
            version=None,
            directory=str(loaded.serving_directory),
            reason="nothing was trained, no check found the drift that asks for it",
        ),
        live=repository.live(),
        mlflow_uri=tracker.store.shown,
        mlflow_run_id=tracker.run_id,
        nodes=tuple(NodeResult.of(outcome) for outcome in outcomes.values()),
        seconds=round(seconds, 3),
    )
