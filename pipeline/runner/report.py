"""The report of a run: gathered from what the run came to, kept in the workspace and in MLflow."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from components.report.build import build_report
from components.report.page import Tone
from components.report.run import ReportedNode, ReportedRun
from components.report.words import duration
from components.secrets import scrubbed
from components.tracking.entries import param_texts
from components.tracking.revision import revision_tags
from models.errors import ElmanError
from pipeline.config import LoadedConfig, SequenceConfig
from pipeline.config.flat import flat
from pipeline.runner.display import Display
from pipeline.runner.result import RunResult

if TYPE_CHECKING:
    from components.tracking.session import RunTracker
    from pipeline.runner.launch import NodeOutcome

FOLDER = "reports"
FILE = "report.html"
"""The artifact of the parent run in MLflow."""
_PACKAGES = ("elman", "tensorflow", "keras", "tfx", "ml-metadata", "mlflow", "numpy")
logger = logging.getLogger(__name__)


def publish(
    loaded: LoadedConfig,
    result: RunResult,
    outcomes: Mapping[str, NodeOutcome],
    tracker: RunTracker,
    display: Display,
) -> Path | None:
    """Writes the report of a run that came to its end.

    A report that cannot be made is a warning: the run has done its work.

    Returns:
        The file, or None.
    """
    push = result.push
    run = ReportedRun(
        name=result.name,
        run_id=result.run_id,
        verdict=result.summary,
        tone="good" if result.blessed else "neutral",
        reasons=result.reasons,
        facts=(
            ("data", result.data.words),
            ("pushed", f"version {push.version}" if push.pushed else f"nothing: {push.reason}"),
            ("serving now", f"version {result.live}" if result.live is not None else "nothing"),
            ("took", f"{duration(result.seconds)}, {_reused(result)}"),
        ),
        lineage=_lineage(loaded, result.run_id, tracker, data_digest=result.data.digest),
        config=param_texts(flat(loaded.config)),
        nodes=_nodes(outcomes.values()),
        warnings=tuple(tracker.warnings),
        shown=result.shown,
        spans=result.spans,
    )
    return _keep(loaded, run, tracker, display)


def publish_failure(
    loaded: LoadedConfig,
    run_id: str,
    tracker: RunTracker,
    display: Display,
    *,
    verdict: str,
    error: BaseException,
    words: str,
    outcomes: Sequence[NodeOutcome],
    log: Path,
) -> Path | None:
    """Writes the short report of a run that did not come to its end.

    Args:
        loaded: The configuration.
        run_id: Id of the run.
        tracker: Of the run, still open.
        display: Told when the report cannot be made.
        verdict: `failed`, `blocked` or `interrupted`.
        error: What ended it.
        words: The same for people, without secrets.
        outcomes: Of the components that finished.
        log: Where the libraries' own words are.

    Returns:
        The file, or None.
    """
    where = f" in {tracker.failed}" if tracker.failed else ""
    tone: Tone = "neutral" if verdict == "interrupted" else "bad"
    run = ReportedRun(
        name=loaded.config.name,
        run_id=run_id,
        verdict=f"{verdict.capitalize()}{where}: {words}",
        tone=tone,
        reasons=tuple(
            scrubbed(f"{column or 'data set'}: {short} ({text})")
            for column, short, text in getattr(error, "anomalies", ())
        ),
        facts=(
            ("component", tracker.failed or "none"),
            ("kind of error", type(error).__name__),
            ("log", str(log)),
            ("configuration", str(loaded.path)),
        ),
        lineage=_lineage(loaded, run_id, tracker),
        config=param_texts(flat(loaded.config)),
        nodes=_nodes(outcomes),
        warnings=tuple(tracker.warnings),
    )
    return _keep(loaded, run, tracker, display)


def _keep(
    loaded: LoadedConfig, run: ReportedRun, tracker: RunTracker, display: Display
) -> Path | None:
    try:
        html = build_report(run, sequences=isinstance(loaded.config, SequenceConfig))
        path = loaded.workspace / FOLDER / f"{run.run_id}.html"
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(html, encoding="utf-8")
        part.replace(path)
    except Exception as error:
        logger.exception("the report could not be made")
        display.warn(
            f"the report could not be made: {type(error).__name__}: {scrubbed(str(error))}"
        )
        return None
    try:
        tracker.recorder.text(html, FILE)
    except ElmanError as error:
        display.warn(f"the report is in {path}, but {error}")
    return path


def _nodes(outcomes: Iterable[NodeOutcome]) -> tuple[ReportedNode, ...]:
    return tuple(
        ReportedNode(o.node, o.execution_id, o.cached, o.seconds, o.outputs) for o in outcomes
    )


def _reused(result: RunResult) -> str:
    reused = sum(node.cached for node in result.nodes)
    return f"{reused} of {len(result.nodes)} components re-used"


def _lineage(
    loaded: LoadedConfig, run_id: str, tracker: RunTracker, *, data_digest: str = ""
) -> tuple[tuple[str, str], ...]:
    git = revision_tags(loaded.folder)
    commit = git.get("mlflow.source.git.commit", "")
    changed = " (with changes)" if git.get("elman.git.dirty") == "true" else ""
    return (
        ("run", run_id),
        ("configuration", str(loaded.path)),
        ("configuration digest", loaded.digest),
        *((("data digest", data_digest),) if data_digest else ()),
        ("git revision", f"{commit}{changed}" if commit else "not in a repository"),
        ("MLflow", tracker.store.shown),
        ("MLflow experiment", tracker.experiment_id),
        ("MLflow run", tracker.run_id),
        ("ML Metadata", str(loaded.workspace / "metadata.db")),
        ("Python", platform.python_version()),
        *((name, _version(name)) for name in _PACKAGES),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
