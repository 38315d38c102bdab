"""The loop: waits for the next planned time, runs, and goes on whatever the run came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from components.secrets import scrubbed
from pipeline.schedule.clock import Clock
from pipeline.schedule.outcome import Job, Outcome
from pipeline.schedule.state import ScheduleState, StateFile
from pipeline.schedule.stop import Stop
from pipeline.schedule.timetable import Timetable

BUSY_WAIT = timedelta(minutes=1)
"""Between two looks at a workspace that another run uses."""


@dataclass
class Scheduler:
    """Runs `job` at the times of `timetable`.

    Attributes:
        timetable: When.
        clock: The time.
        job: One run.
        state: Where the state is kept.
        stop: Ends the loop.
        say: Takes a line for people.
        outcomes: Of the planned times run by this scheduler, with when the run started.
    """

    timetable: Timetable
    clock: Clock
    job: Job
    state: StateFile
    stop: Stop
    say: Callable[[str], None]
    outcomes: list[tuple[datetime, datetime, Outcome]] = field(default_factory=list)
    _failures: int = 0

    def run(self, *, once: bool = False) -> None:
        """Runs until it is asked to stop.

        Args:
            once: Ends after the first planned time that was run.
        """
        last = self._resume()
        told: datetime | None = None
        while not self.stop.asked:
            due = self.timetable.due(last, self.clock.now())
            if due.dropped:
                count = f"{due.dropped} or more" if due.more else f"{due.dropped}"
                self.say(f"missed and not caught up: {count} of the planned times")
            for planned in due.run:
                self._one(planned)
                if once:
                    return
                if self.stop.asked:
                    break
            last = due.upto
            if due.run:
                continue
            upcoming = self.timetable.next(last)
            if upcoming != told:
                self.say(f"next run: {self._local(upcoming)}")
                told = upcoming
            self.clock.wait_until(upcoming, self.stop)

    def _resume(self) -> datetime:
        """The last planned time dealt with; now, where no such schedule ran here before."""
        found = self.state.read(self.timetable.name)
        if found is None:
            now = self.clock.now()
            self._keep(ScheduleState(timetable=self.timetable.name, last=now.isoformat()))
            return now
        self._failures = found.failures
        # The clock may have been set back since: what is planned from now on is not done yet.
        return min(found.moment.astimezone(UTC), self.clock.now())

    def _one(self, planned: datetime) -> None:
        self.clock.wait_until(self.timetable.start(planned), self.stop)
        if self.stop.asked:
            return  # not dealt with: the next start catches up
        started = self.clock.now()
        self.say(f"run planned for {self._local(planned)} starts")
        outcome = self._attempt(planned)
        self.outcomes.append((planned, started, outcome))
        if outcome.status == "interrupted" and self.stop.asked:
            self.say(f"run planned for {self._local(planned)} was interrupted; its time is missed")
            return
        failed = outcome.status in ("failed", "blocked", "interrupted")
        self._failures = self._failures + 1 if failed else 0
        again = f" ({self._failures} in a row)" if self._failures > 1 else ""
        words = outcome.status.replace("_", " ")
        minutes = (self.clock.now() - started).total_seconds() / 60
        text = scrubbed(outcome.text)
        self.say(
            f"run planned for {self._local(planned)}: {words}{again} after {minutes:.1f} min"
            + (f": {text}" if text else "")
        )
        self._keep(
            ScheduleState(
                timetable=self.timetable.name,
                last=planned.isoformat(),
                status=outcome.status,
                text=text,
                next=self.timetable.next(max(planned, self.clock.now())).isoformat(),
                failures=self._failures,
            )
        )

    def _attempt(self, planned: datetime) -> Outcome:
        """The run; where the workspace is busy, again each minute until the next planned time."""
        until = self.timetable.next(planned)
        told = False
        while True:
            try:
                outcome = self.job(planned, self.stop)
            except Exception as error:  # a schedule outlives whatever one night brings
                return Outcome("failed", f"{type(error).__name__}: {error}")
            later = self.clock.now() + BUSY_WAIT
            if outcome.status != "busy" or later >= until:
                return outcome
            if not told:
                self.say(f"waiting: {outcome.text}")
                told = True
            self.clock.wait_until(later, self.stop)
            if self.stop.asked:
                return Outcome("interrupted", "stopped while waiting for the workspace")

    def _keep(self, state: ScheduleState) -> None:
        try:
            self.state.write(state)
        except OSError as error:
            self.say(
                f"the state of the schedule could not be kept ({error}); the schedule goes on, but "
                "missed times may not be caught up after a restart"
            )

    def _local(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.timetable.zone):%a %Y-%m-%d %H:%M %Z}"
