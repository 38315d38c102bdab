"""`Announcer`: what a run says to the hooks of its configuration when it ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from components.monitor.report import Check, MonitorReport
from components.monitor.report import read as read_monitor
from components.notify.event import Context, Event
from components.notify.notify import notify
from components.secrets import scrubbed
from models.errors import BadInputError, DataAnomalyError, ElmanError
from pipeline.config import LoadedConfig

if TYPE_CHECKING:
    from components.spans.summary import SpansSummary
    from components.tracking.session import RunTracker
    from pipeline.runner.launch import NodeOutcome
    from pipeline.runner.result import RunResult
    from pipeline.runner.unchanged import NothingNew

logger = logging.getLogger(__name__)
MONITOR = "monitor"


class Outcome(Protocol):
    """What is needed of `pipeline.runner.launch.NodeOutcome`."""

    @property
    def node(self) -> str:
        """The component's id."""

    @property
    def outputs(self) -> Any:
        """Folder of each output artifact, by output key."""


class Announcer:
    """Tells the hooks of one run, once, whichever way it ends.

    A run stopped from the keyboard is not announced: somebody is there.

    Attributes:
        tracker: Of the run, once it is started; a hook that fails is a warning there.
    """

    def __init__(self, loaded: LoadedConfig, run_id: str) -> None:
        """Says nothing yet.

        Args:
            loaded: The configuration.
            run_id: Id of the run.
        """
        self.tracker: RunTracker | None = None
        self._loaded = loaded
        self._run_id = run_id
        self._done = False
        self._drift: Event | None = None

    def saw(self, outcome: NodeOutcome | Outcome) -> None:
        """Takes note of a component's outcome: the monitor may have found drift."""
        if outcome.node == MONITOR:
            self._drift = drift_event(read_monitor(Path(outcome.outputs[MONITOR])))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Announces an exception that leaves the block, and lets it go on.

        Of several such blocks, one in the other, the inner one speaks.
        """
        try:
            yield
        except Exception as error:
            self._say(error_event(self._loaded.config.name, error))
            raise

    def finished(self, result: RunResult) -> None:
        """Announces what a finished run came to, and spans that it had to leave out."""
        self._say(spans_event(result.name, result.spans), result_event(result))

    def nothing_new(self, found: NothingNew) -> None:
        """Announces the spans that are still blocked; nothing else happened."""
        self._say(spans_event(found.name, found.spans))

    def _say(self, *said: Event | None) -> None:
        if self._done:
            return
        self._done = True
        tracker = self.tracker
        context = Context(
            pipeline=self._loaded.config.name,
            run_id=self._run_id,
            config=str(self._loaded.path),
            at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            mlflow_uri=tracker.store.shown if tracker else "",
            mlflow_run_id=tracker.run_id if tracker else "",
        )
        events = [known for known in (self._drift, *said) if known is not None]
        for warning in notify(self._loaded.config.notify, events, context=context):
            logger.warning("%s", warning)
            if tracker is None:
                continue
            try:
                tracker.recorder.warn(warning)  # to the terminal and the tag elman.warnings
            except (ElmanError, RuntimeError) as second:
                logger.warning("besides, %s", second)


def error_event(name: str, error: Exception) -> Event:
    """The event of a run that `error` has ended."""
    blocked = isinstance(error, BadInputError)
    words = scrubbed(str(error).strip())
    if not isinstance(error, ElmanError):
        words = f"{type(error).__name__}: {words}"
    fields: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, DataAnomalyError):
        fields["anomalies"] = [list(map(scrubbed, anomaly)) for anomaly in error.anomalies]
    what = "is blocked, its input was refused" if blocked else "has failed"
    return Event("blocked" if blocked else "failed", f"{name} {what}", words, fields)


def spans_event(name: str, spans: SpansSummary | None) -> Event | None:
    """The event of spans that are left out until they are corrected; None if there are none."""
    if spans is None or not spans.blocked_count:
        return None
    listed = [{"span": one.label, "reason": scrubbed(one.reason)} for one in spans.blocked]
    unit = "span is" if spans.blocked_count == 1 else "spans are"
    return Event(
        "blocked",
        f"{name}: {spans.blocked_count} {unit} blocked and left out",
        "\n".join(f"{one['span']}: {one['reason']}" for one in listed),
        {"spans": listed},
    )


def result_event(result: RunResult) -> Event | None:
    """The event of a run that came to its end; None where nothing happened to the model.

    Nothing happens where the model is live already, and where nothing was trained.
    """
    if result.held:
        return None
    push, fields = result.push, facts(result)
    if push.pushed:
        title = f"{result.name}: version {push.version} is live"
        return Event("promoted", title, result.summary, fields)
    if not result.blessed:
        title = f"{result.name}: no model was blessed"
        return Event("not_blessed", title, "\n".join((result.summary, *result.reasons)), fields)
    if push.version is None:
        title = f"{result.name}: the blessed model was not pushed"
        return Event("not_blessed", title, f"{result.summary}\n{push.reason}", fields)
    return None


def facts(result: RunResult) -> dict[str, Any]:
    """What machines may want to know of a result: verdict, versions, and scores by model."""
    return {
        "blessed": result.blessed,
        "winner": result.winner,
        "live": result.live,
        "pushed": result.push.version if result.push.pushed else None,
        "metric": result.metric,
        "scores": {name: scores.get(result.metric) for name, scores in result.models.items()},
        "seconds": result.seconds,
    }


def drift_event(report: MonitorReport) -> Event | None:
    """The event of what the monitor found; None if nothing has drifted."""
    if not report.drifted:
        return None
    checks = [check for check in report.checks if check.state == "drifted"]
    lines = [report.summary, *report.reasons]
    return Event(
        "drift",
        f"drift: {', '.join(check.name for check in checks)}",
        "\n".join(lines),
        {
            "decision": report.decision,
            "champion": report.champion.version if report.champion else None,
            "checks": {check.name: _drifted(check) for check in checks},
        },
    )


def _drifted(check: Check) -> dict[str, Any]:
    found = {
        finding.subject: {"value": finding.value, "limit": finding.limit}
        for finding in check.findings
        if finding.drifted
    }
    return {"action": check.action, "findings": found}
