"""The time, so that a test or a simulation can bring its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from pipeline.schedule.stop import Stop

LONGEST_SLEEP = 30.0
"""Seconds; the wall clock is read again after it, for it may be set, or the machine suspended."""


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def wait_until(self, moment: datetime, stop: Stop) -> None:
        """Comes back when `moment` has come, or as soon as `stop` is asked."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    def wait_until(self, moment: datetime, stop: Stop) -> None:
        """See `Clock`."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            if stop.wait(min(left, LONGEST_SLEEP)):
                return
