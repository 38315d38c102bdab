"""The scheduler in the foreground, as `elman schedule` runs it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from components.file_lock import file_lock
from models.errors import FailedRunError
from pipeline.config import LoadedConfig
from pipeline.runner.workspace import prepare
from pipeline.schedule.clock import SystemClock
from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.loop import Scheduler
from pipeline.schedule.outcome import Outcome
from pipeline.schedule.process_job import ProcessJob
from pipeline.schedule.state import StateFile
from pipeline.schedule.stop import Stop, stopped_by_signals
from pipeline.schedule.timetable import Timetable

EXIT = {"finished": 0, "nothing_new": 0, "blocked": 2, "interrupted": 130}


def run_in_foreground(loaded: LoadedConfig, planned: ScheduleConfig, *, once: bool) -> int:
    """Runs the pipeline at its times until SIGTERM or SIGINT.

    Args:
        loaded: The configuration.
        planned: When.
        once: End after the first planned time that was run.

    Returns:
        The exit code: 0 when asked to stop; with `once` that of the run.

    Raises:
        FailedRunError: If the workspace cannot be written, or has a scheduler already.
        BadInputError: If a link in the workspace leads out of it.
    """
    workspace = loaded.workspace
    prepare(workspace)
    try:
        with file_lock(workspace / ".schedule.lock", "scheduler's lock", timeout=0.0):
            return _run(loaded, planned, workspace, once=once)
    except FailedRunError as error:
        if "scheduler's lock" not in str(error):
            raise
        raise FailedRunError(
            f"The workspace {workspace} has a scheduler already. Two would run every night twice; "
            "end the other one first."
        ) from None


def _run(loaded: LoadedConfig, planned: ScheduleConfig, workspace: Path, *, once: bool) -> int:
    stop = Stop()
    scheduler = Scheduler(
        # Machines with the same configuration start at different moments, each night the same.
        timetable=Timetable(planned, seed=f"{socket.gethostname()} {loaded.path}"),
        clock=SystemClock(),
        job=ProcessJob(loaded.path, grace=planned.grace),
        state=StateFile(workspace),
        stop=stop,
        say=_say,
    )
    with stopped_by_signals(stop):
        _say(f"{loaded.config.name}: {planned.cron} {planned.timezone}; stop with Ctrl-C")
        scheduler.run(once=once)
    _say("scheduler stopped")
    return _exit_code([outcome for _, _, outcome in scheduler.outcomes], once=once)


def _exit_code(outcomes: list[Outcome], *, once: bool) -> int:
    if not once or not outcomes:
        return 0
    return EXIT.get(outcomes[-1].status, 1)


def _say(text: str) -> None:
    from datetime import datetime

    sys.stderr.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text}\n")
    sys.stderr.flush()
