"""A clock that a test turns, and a job that does what a script says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.loop import Scheduler
from pipeline.schedule.outcome import Outcome
from pipeline.schedule.state import StateFile
from pipeline.schedule.stop import Stop
from pipeline.schedule.timetable import Timetable


class FastClock:
    """Waiting takes no time; asks `stop` when `end` has come."""

    def __init__(self, start: str, end: str) -> None:
        self._now = datetime.fromisoformat(start).replace(tzinfo=UTC)
        self.end = datetime.fromisoformat(end).replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def wait_until(self, moment: datetime, stop: Stop) -> None:
        self._now = max(self._now, min(moment, self.end))
        if self._now >= self.end and not stop.asked:
            stop.ask()

    def spend(self, **time: float) -> None:
        self._now += timedelta(**time)


class Nights:
    """Runs `night(number)` for each planned time and keeps when it was and when it started."""

    def __init__(self, clock: FastClock, night: Callable[[int], Outcome]) -> None:
        self._clock = clock
        self._night = night
        self.planned: list[str] = []
        self.started: list[str] = []

    def __call__(self, planned: datetime, stop: Stop) -> Outcome:
        self.planned.append(f"{planned:%d %H:%M}")
        self.started.append(f"{self._clock.now():%d %H:%M}")
        return self._night(len(self.planned))


def finished(number: int) -> Outcome:
    return Outcome("finished")


def play(
    folder: Path,
    start: str,
    end: str,
    night: Callable[[int], Outcome] = finished,
    *,
    clock: FastClock | None = None,
    once: bool = False,
    seed: str = "s",
    **config: object,
) -> tuple[Nights, Scheduler, list[str]]:
    """A scheduler from `start` to `end`; its nights, itself, and what it said."""
    clock = clock or FastClock(start, end)
    said: list[str] = []
    nights = Nights(clock, night)
    scheduler = Scheduler(
        timetable=Timetable(
            ScheduleConfig.model_validate({"cron": "0 3 * * *", **config}), seed=seed
        ),
        clock=clock,
        job=nights,
        state=StateFile(folder),
        stop=Stop(),
        say=said.append,
    )
    scheduler.run(once=once)
    return nights, scheduler, said
