"""Cron expressions, in the words of crontab(5), and the moments they name."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ITEM = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?")
LONGEST_SHIFT = timedelta(hours=3)
"""More than clocks go forward or back at once."""


@dataclass(frozen=True)
class CronField:
    """One field, expanded.

    Attributes:
        name: In words.
        low: The least value.
        high: The greatest value.
        values: Those it names, in order; Sunday is 0.
        starred: Whether its text starts with a star, which decides how days are joined.
    """

    name: str
    low: int
    high: int
    values: tuple[int, ...]
    starred: bool

    @property
    def every(self) -> bool:
        """Whether it names all its values."""
        return len(self.values) == self.high - self.low + 1


@dataclass(frozen=True)
class Cron:
    """A cron expression.

    As in crontab(5): where day of month and day of week are both given (neither starts with a
    star), a day that fits either counts. APScheduler joins them by "and", and counts weekdays
    from Monday; both are translated here.
    """

    text: str
    minute: CronField
    hour: CronField
    day: CronField
    month: CronField
    weekday: CronField

    @classmethod
    def parse(cls, text: str) -> Self:
        """The expression `text`: five fields, or `@daily` and the like.

        Raises:
            ValueError: If it is none, or one that never comes; says which field is wrong.
        """
        given = " ".join(text.split())
        fields = NICKNAMES.get(given.lower(), given).split()
        if len(fields) != 5:
            known = ", ".join(NICKNAMES)
            raise ValueError(
                f"received {text!r}, expected five fields (minute, hour, day of month, month, day "
                f"of week), such as '0 3 * * *' for every day at three, or one of {known}"
            )
        found = cls(
            given,
            _field("minute", 0, 59, fields[0]),
            _field("hour", 0, 23, fields[1]),
            _field("day of month", 1, 31, fields[2]),
            _field("month", 1, 12, fields[3], MONTHS, 1),
            _field("day of week", 0, 6, fields[4], WEEKDAYS, 0),
        )
        if next(found.after(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC")), None) is None:
            raise ValueError(f"received {text!r}, a day that never comes; expected one that does")
        return found

    @property
    def expanded(self) -> str:
        """The same without nicknames, for programs that do not know them."""
        return NICKNAMES.get(self.text.lower(), self.text)

    @property
    def either_day(self) -> bool:
        """Whether a day counts that fits one of day of month and day of week."""
        return not self.day.starred and not self.weekday.starred

    def after(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments after `moment` that it names, in order, in UTC.

        When clocks go forward, a time that does not exist comes later by as much as they go. When
        they go back, a time that exists twice counts once, the first time, unless the hour field
        starts with a star: then the job follows real time and both count.

        Args:
            moment: With a time zone.
            zone: In which the expression is read.
        """
        upcoming: list[datetime] = []
        last = moment
        # From a bit earlier: a time that clocks skip may still be to come.
        since = moment.astimezone(zone).replace(tzinfo=None) - LONGEST_SHIFT
        for wall in self._wall_times(since):
            first = wall.replace(tzinfo=zone).astimezone(UTC)
            second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
            heapq.heappush(upcoming, first)
            # Later in autumn, when the time exists twice; earlier in spring, when it does not.
            if self.hour.starred and second > first:
                heapq.heappush(upcoming, second)
            # Those after it may be earlier than `first` by a shift of the clocks, not by more.
            while upcoming and upcoming[0] < first - LONGEST_SHIFT:
                found = heapq.heappop(upcoming)
                if found > last:
                    yield (last := found)
        while upcoming:
            found = heapq.heappop(upcoming)
            if found > last:
                yield (last := found)

    def _wall_times(self, since: datetime) -> Iterator[datetime]:
        """What the clock on the wall shows, without a time zone, after `since`.

        APScheduler is asked in UTC: in a zone whose clocks change, its trigger (3.11) adds 24
        hours to come to the next day, and so skips a time before one o'clock.
        """
        days: list[tuple[CronField | None, CronField | None]] = [(self.day, self.weekday)]
        if self.either_day:
            days = [(self.day, None), (None, self.weekday)]
        triggers = [_trigger(self, day, weekday) for day, weekday in days]
        start = since.replace(tzinfo=UTC)
        upcoming = [_next(trigger, start) for trigger in triggers]
        while known := [time for time in upcoming if time is not None]:
            first = min(known)
            yield first.replace(tzinfo=None)
            upcoming = [
                _next(trigger, first) if time == first else time
                for trigger, time in zip(triggers, upcoming, strict=True)
            ]


def _next(trigger: CronTrigger, moment: datetime) -> datetime | None:
    found: datetime | None = trigger.get_next_fire_time(None, moment + timedelta(seconds=1))
    return found


def _trigger(cron: Cron, day: CronField | None, weekday: CronField | None) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    def listed(field: CronField | None) -> str:
        if field is None or field.every:
            return "*"
        return ",".join(map(str, field.values))

    return CronTrigger(
        minute=listed(cron.minute),
        hour=listed(cron.hour),
        day=listed(day),
        month=listed(cron.month),
        day_of_week="*"
        if weekday is None or weekday.every
        else ",".join(WEEKDAYS[value] for value in weekday.values),
        timezone=UTC,
    )


def _field(
    name: str, low: int, high: int, text: str, words: tuple[str, ...] = (), first: int = 0
) -> CronField:
    values: set[int] = set()
    top = 7 if words is WEEKDAYS else high  # crontab(5): 0 and 7 are Sunday

    def number(word: str) -> int:
        if word.lower() in words:
            return words.index(word.lower()) + first
        if not word.isdecimal() or not low <= int(word) <= top:
            also = f" or {words[0]} to {words[-1]}" if words else ""
            raise ValueError(
                f"{name}: received {word!r}, expected a whole number from {low} to {top}{also}"
            )
        return int(word)

    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(
                f"{name}: received {item!r}, expected a star, a value, a range such as 1-5, or one "
                "of these with a step, such as */15"
            )
        begin, _, end = match[1].partition("-")
        step = int(match[2]) if match[2] else 1
        if begin == "*":
            start, stop = low, high
        else:
            start = number(begin)
            stop = number(end) if end else start
        if match[2] and begin != "*" and not end:
            raise ValueError(f"{name}: received {item!r}; a step needs a star or a range before it")
        if step < 1 or stop < start:
            raise ValueError(
                f"{name}: received {item!r}, expected a range that goes upwards and a step from 1"
            )
        values.update(range(start, stop + 1, step))
    if words is WEEKDAYS:
        values = {value % 7 for value in values}
    return CronField(name, low, high, tuple(sorted(values)), text.startswith("*"))
