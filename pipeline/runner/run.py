"""One run of a pipeline, from a loaded configuration to a result."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from components.backtest.winner import CANDIDATE
from components.push.directory import digest_of
from components.push.repository import ModelRepository
from components.secrets import scrubbed
from components.source_digest import source_digest
from components.tracking.outbox import anything_waits
from models.errors import BadInputError, ElmanError, FailedRunError
from pipeline.config import LoadedConfig
from pipeline.config.flat import flat
from pipeline.runner import ledger
from pipeline.runner.announce import Announcer
from pipeline.runner.champion import champion_parameter
from pipeline.runner.display import Display, TerminalDisplay
from pipeline.runner.environment import explained
from pipeline.runner.lock import locked
from pipeline.runner.quiet import quiet
from pipeline.runner.result import RunResult
from pipeline.runner.unchanged import NothingNew, file_digest, nothing_new, remember
from pipeline.runner.workspace import check_metadata, prepare
from pipeline.tasks import task_of

if TYPE_CHECKING:
    from pipeline.runner.launch import NodeOutcome

CODE = ("models", "components", "pipeline")


def run_pipeline(
    loaded: LoadedConfig,
    *,
    use_cache: bool = True,
    force: bool = False,
    if_new: bool = False,
    terminal: TextIO | None = None,
) -> RunResult | NothingNew:
    """Runs the pipeline of `loaded` once.

    Progress goes to the terminal's standard error; what libraries print goes to
    `<workspace>/logs/<run id>.log`.

    Args:
        loaded: The configuration.
        use_cache: False runs every component anew.
        force: Push even a model that was rolled back before.
        if_new: End at once if the last finished run did the same work and what it left still
            serves; not with `force` or without `use_cache`. Data in spans does so in any case.
        terminal: Where progress goes instead of standard error.

    Raises:
        WorkspaceBusyError: If another run uses the workspace.
        BadInputError: If configuration or data cannot be used; nothing is pushed.
        FailedRunError: If the run cannot be finished; nothing is pushed.
    """
    since = time.monotonic()
    run_id = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
    announcer = Announcer(loaded, run_id)
    with announcer.watching():
        return _run(loaded, run_id, announcer, since, use_cache, force, if_new, terminal)


def _run(
    loaded: LoadedConfig,
    run_id: str,
    announcer: Announcer,
    since: float,
    use_cache: bool,
    force: bool,
    if_new: bool,
    terminal: TextIO | None,
) -> RunResult | NothingNew:
    # Bad input is refused before the workspace is made and before anything slow is imported.
    fingerprint = task_of(loaded).fingerprint()
    workspace = loaded.workspace
    prepare(workspace)
    log = workspace / "logs" / f"{run_id}.log"
    with locked(workspace) as killed:
        key = _key(loaded, fingerprint)
        check_metadata(workspace)
        # What a killed run left open in the stores, and what one could not bring to its tracking
        # store, is made up for by a whole run only.
        whole = killed or anything_waits(workspace)
        spans = getattr(loaded.config.data, "spans", None) is not None
        if (if_new or spans) and use_cache and not force and not whole:
            live = ModelRepository(loaded.serving_directory).live()
            same = nothing_new(loaded, key, run_id, live)
            if same is not None:
                TerminalDisplay(terminal or sys.stderr).say(same.words)
                remember(workspace, same, key)
                announcer.nothing_new(same)
                return same
        with quiet(log) as (_, err):
            display = TerminalDisplay(terminal or err)
            display.say(f"{loaded.config.name}: starting TensorFlow and TFX; log: {log}")
            try:
                # Here the log and the terminal hear of failing hooks.
                with announcer.watching(), _in_words(workspace):
                    result = _tracked(
                        loaded, run_id, key, display, since, use_cache, force, announcer
                    )
                announcer.finished(result)
                return result
            finally:
                display.close()


def _key(loaded: LoadedConfig, fingerprint: str) -> str:
    # The schema is not part of it: it lets data pass or stops a run, but changes no model.
    parts = (loaded.digest, fingerprint, source_digest(*CODE))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _live(loaded: LoadedConfig) -> tuple[int, Path, str] | None:
    repository = ModelRepository(loaded.serving_directory)
    version = repository.live()
    if version is None:
        return None
    path = repository.path(version)
    return version, path, digest_of(path)


def _tracked(
    loaded: LoadedConfig,
    run_id: str,
    key: str,
    display: Display,
    since: float,
    use_cache: bool,
    force: bool,
    announcer: Announcer,
) -> RunResult:
    from components.tracking.session import RunTracker
    from components.tracking.store import open_store
    from pipeline.graph import database
    from pipeline.runner.conclude import conclude_failure
    from pipeline.runner.execute import close_interrupted, execute
    from pipeline.runner.lost import forget_lost

    started = datetime.now(UTC).isoformat(timespec="seconds")
    champion = champion_parameter(_live(loaded), ledger.last_with_key(loaded.workspace, key))
    tracker = RunTracker(
        open_store(loaded.tracking_uri, loaded.workspace),
        loaded.experiment,
        loaded.workspace,
        listener=display,
    )
    orphans = tracker.close_orphans(locked=True)
    killed = close_interrupted(loaded)
    if lost := forget_lost(database(loaded)):
        display.warn(f"the files of {lost} artifacts are gone; what needs them is made again")
    if orphans or killed:
        display.warn(
            f"an earlier run was killed: {len(orphans)} of its runs in MLflow and {killed} of "
            "its executions in ML Metadata are now marked as failed"
        )
    tracker.start(
        f"{loaded.config.name} {run_id}",
        flat(loaded.config),
        {"elman.config.digest": loaded.digest, "elman.run": run_id, "elman.key": key},
        source=loaded.path,
    )
    announcer.tracker = tracker
    entry: dict[str, Any] = {
        "run_id": run_id,
        "key": key,
        "started": started,
        "champion": champion,
        "mlflow_run_id": tracker.run_id,
    }
    outcomes: list[NodeOutcome] = []

    def seen(outcome: NodeOutcome) -> None:
        outcomes.append(outcome)
        announcer.saw(outcome)

    try:
        result = execute(
            loaded,
            run_id,
            champion,
            tracker,
            display,
            since,
            use_cache=use_cache,
            force=force,
            seen=seen,
        )
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        # Each of these may fail for the same reason as the run, on a full disk for example.
        with _besides(display):
            close_interrupted(loaded)
        with _besides(display):
            _write(loaded, entry, status, _sentence(error), _live(loaded))
        with _besides(display):
            conclude_failure(loaded, run_id, tracker, display, error, _sentence(error), outcomes)
        raise
    live = _live(loaded)
    _write(loaded, entry, "finished", "", live, result)
    return result


@contextmanager
def _in_words(workspace: Path) -> Iterator[None]:
    """Says in words what of the machine has ended the run: a full disk, a locked file."""
    try:
        yield
    except ElmanError:
        raise
    except Exception as error:
        words = explained(error, workspace)
        if not words:
            raise
        raise FailedRunError(words) from error


@contextmanager
def _besides(display: Display) -> Iterator[None]:
    """Says what goes wrong in the block, never instead of what went wrong first."""
    try:
        yield
    except Exception as second:
        display.warn(f"besides, {_sentence(second)}")


def _write(
    loaded: LoadedConfig,
    entry: dict[str, Any],
    status: str,
    error: str,
    live: tuple[int, Path, str] | None,
    result: RunResult | None = None,
) -> None:
    ledger.append(
        loaded.workspace,
        ledger.LedgerEntry.model_validate(
            {
                **entry,
                "ended": datetime.now(UTC).isoformat(timespec="seconds"),
                "status": status,
                "error": error,
                "live": live[0] if live else None,
                "pushed": result.push.version if result and result.push.pushed else None,
                "winner": (result.winner or "") if result else "",
                "metrics": result.models.get(result.winner or CANDIDATE, {}) if result else {},
                "verdict": result.summary if result else "",
                "drift": result.drift if result else "",
                "spans": result.spans if result else None,
                "schema_digest": file_digest(loaded.schema_path),
            }
        ),
    )


def _sentence(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted from the keyboard."
    kind = "" if isinstance(error, (BadInputError, FailedRunError)) else f"{type(error).__name__}: "
    return scrubbed(f"{kind}{error}".strip())
