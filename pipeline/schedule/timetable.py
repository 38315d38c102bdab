"""Which planned times are due, and how late a run starts after its own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from pipeline.schedule.config import CatchUp, ScheduleConfig
from pipeline.schedule.cron import Cron

ON_TIME = timedelta(minutes=1)
"""A time that is not longer ago than this (and its jitter) is not missed."""

COUNTED = 1000
"""Missed times are counted up to here; it is more than anybody runs one after the other."""


@dataclass(frozen=True)
class Due:
    """Planned times that have come.

    Attributes:
        run: Those to run now, in order.
        upto: The newest of them, run or not; what was asked from if none has come.
        dropped: How many were missed and are not run.
        more: Whether more than `dropped` may have been, too long ago to be counted.
    """

    run: tuple[datetime, ...]
    upto: datetime
    dropped: int = 0
    more: bool = False


class Timetable:
    """The times of a schedule.

    Args:
        config: The schedule.
        seed: Of the jitter: the same seed and planned time give the same delay.
    """

    def __init__(self, config: ScheduleConfig, *, seed: str) -> None:
        self._cron = Cron.parse(config.cron)
        self._zone = ZoneInfo(config.timezone)
        self._config = config
        self._seed = seed

    @property
    def name(self) -> str:
        """Names the times: two schedules with equal names have the same."""
        return f"{self._cron.text} {self._config.timezone}"

    @property
    def zone(self) -> ZoneInfo:
        """In which the times are read."""
        return self._zone

    def next(self, moment: datetime) -> datetime:
        """The first planned time after `moment`, in UTC."""
        return next(self._cron.after(moment, self._zone))

    def start(self, planned: datetime) -> datetime:
        """When the run planned for `planned` starts: with its jitter, before the time after it."""
        if not self._config.jitter:
            return planned
        # Not a secret: it only keeps many machines from starting at the same second.
        delay = random.Random(f"{self._seed} {planned.isoformat()}").uniform(  # noqa: S311
            0.0, self._config.jitter
        )
        room = (self.next(planned) - planned).total_seconds() / 2
        return planned + timedelta(seconds=min(delay, room))

    def due(self, last: datetime, now: datetime) -> Due:
        """What to run at `now`.

        Args:
            last: The last planned time that was dealt with, or from which the schedule counts.
            now: In UTC.
        """
        policy: CatchUp = self._config.catch_up
        wanted = self._config.catch_up_limit if policy == "all" else 1
        since, window = last, timedelta(hours=1)
        known = list(islice(self._between(since, now), COUNTED + 1))
        # The newest times, without going through all of a long absence.
        while len(known) > COUNTED and now - window > last:
            since, window = now - window, window * 2
            newest = list(self._between(since, now))
            if len(newest) > wanted:
                known = newest
                break
        if policy == "none":
            run = [time for time in known if now - self.start(time) <= ON_TIME][-1:]
        else:
            run = known[-wanted:]
        return Due(tuple(run), max([last, *known]), len(known) - len(run), since > last)

    def _between(self, since: datetime, now: datetime) -> takewhile[datetime]:
        return takewhile(lambda time: time <= now, self._cron.after(since, self._zone))
