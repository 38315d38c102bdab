"""One night as a job of the scheduler, and the clock that makes it night at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.quarter.config import NAME
from benchmarks.quarter.feed import EVENTS, KILL, NIGHTS, OUTAGE, Feed, day_of
from benchmarks.quarter.service import errors
from benchmarks.quarter.tracking import TrackingServer
from pipeline.schedule.outcome import Outcome
from pipeline.schedule.stop import Stop

KILL_AT = "windows"
"""The component in which the run of night `KILL` dies."""
LONGEST = 900.0


class FastClock:
    """Time stands still while a night runs, and is there at once when one waits for it."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """See `pipeline.schedule.clock.Clock`."""
        return self._now

    def wait_until(self, moment: datetime, stop: Stop) -> None:
        """See `pipeline.schedule.clock.Clock`."""
        if not stop.asked:
            self._now = max(self._now, moment)


@dataclass
class Nights:
    """The job: what has arrived is put there, the live model is judged, and the pipeline runs.

    A run is a child of this process, forked with TensorFlow and TFX imported but never used, so
    that a night takes what a night takes without its imports, and can be killed as a whole.

    Attributes:
        feed: The data.
        config: The configuration file.
        server: Where the runs are tracked.
        say: Takes a row of the ledger as a line.
        count: After how many nights the scheduler is asked to stop.
        rows: The ledger.
    """

    feed: Feed
    config: Path
    server: TrackingServer
    say: Callable[[dict[str, Any]], None]
    count: int = NIGHTS
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, planned: datetime, stop: Stop) -> Outcome:
        """See `pipeline.schedule.outcome.Job`."""
        # At three o'clock the file of the day before is there.
        night = (planned.date() - timedelta(days=1) - day_of(1)).days + 1
        row: dict[str, Any] = {
            "night": night,
            "day": day_of(night).isoformat(),
            "event": EVENTS.get(night, ""),
            "arrived": self.feed.arrive(night),
        }
        if night == OUTAGE:
            self.server.stop()
        found = self._child(night)
        if night == OUTAGE:
            self.server.start()
        row |= found
        self.rows.append(row)
        self.say(row)
        if night >= self.count:
            stop.ask()
        return Outcome(found["status"], found["text"])

    def _child(self, night: int) -> dict[str, Any]:
        folder = self.config.parent / "nights"
        folder.mkdir(exist_ok=True)
        answer, screen = folder / f"{night}.json", folder / f"{night}.txt"
        screen.touch()
        process = multiprocessing.get_context("fork").Process(
            target=_night, args=(self.config, self.feed.hourly, night, answer, screen)
        )
        began = time.perf_counter()
        process.start()
        while process.is_alive():
            process.join(0.2)
            spent = time.perf_counter() - began
            if (night == KILL and KILL_AT in screen.read_text()) or spent > LONGEST:
                assert process.pid is not None
                os.killpg(process.pid, signal.SIGKILL)
                process.join()
        if answer.exists():
            found: dict[str, Any] = json.loads(answer.read_text())
            return found
        text = f"killed in {KILL_AT}" if night == KILL else f"exit code {process.exitcode}"
        return {"status": "failed", "text": text, "seconds": time.perf_counter() - began}


def _night(config: Path, hourly: pd.Series, night: int, answer: Path, screen: Path) -> None:
    os.setsid()  # so that a kill takes with it what the run has started
    from models.errors import BadInputError, ElmanError
    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    found: dict[str, Any] = {}
    began = time.perf_counter()
    try:
        with screen.open("w", buffering=1) as terminal:
            result = run_pipeline(load(config), if_new=True, terminal=terminal).model_dump(
                mode="json"
            )
        nodes = {node["node"]: node for node in result.get("nodes", [])}
        ran = [name for name, node in nodes.items() if not node["cached"]]
        found = {
            "status": result.get("status", "finished"),
            "text": result.get("summary") or result.get("verdict") or "",
            "spans": result.get("spans"),
            "drift": result.get("drift", ""),
            "held": result.get("held", False),
            "trained": "train" in ran,
            "blessed": result.get("blessed", False),
            "pushed": (result.get("push") or {}).get("version"),
            "live": result.get("live"),
            "warnings": result.get("warnings", []),
        }
    except BadInputError as error:
        found = {"status": "blocked", "text": str(error)}
    except ElmanError as error:
        found = {"status": "failed", "text": str(error)}
    found["seconds"] = time.perf_counter() - began
    # The day that has just ended, by the model that was live on it: this night's push comes later.
    serving = config.parent / "work" / "serving" / NAME
    judged = errors(serving, hourly, pd.Timestamp(day_of(night)), before=found.get("pushed"))
    if judged is not None:
        found |= dict(zip(("judged", "error", "naive"), judged, strict=True))
    temporary = answer.with_suffix(".tmp")
    temporary.write_text(json.dumps(found))
    temporary.replace(answer)
