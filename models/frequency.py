"""`Frequency`: the step between two rows of a series, from a pandas offset alias."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from models.errors import BadInputError

# NumPy and pandas take longer to import than a configuration takes to check.
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pandas import DatetimeIndex
    from pandas.tseries.offsets import BaseOffset

    Seconds = npt.NDArray[np.int64]

DAY = 86_400
WEEK = 7 * DAY
_UNITS = {"s": 1, "min": 60, "h": 3_600, "D": DAY, "W": WEEK}
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_SIMPLE = re.compile(r"(\d*)(s|min|h|D|W)(?:-(MON|TUE|WED|THU|FRI|SAT|SUN))?")
# The natural cycles, shortest first; a year is taken as 52 weeks.
_CYCLES = (60, 3_600, DAY, WEEK, 52 * WEEK)
_CALENDAR_SEASON = {"M": 12, "Q": 4, "Y": 1, "S": 24}
# pandas 2.2 deprecated these and pandas 3 refuses them.
_OLD = {
    "H": "h", "T": "min", "S": "s", "M": "ME (month end) or MS (month start)",
    "Q": "QE (quarter end) or QS (quarter start)", "Y": "YE (year end) or YS (year start)",
    "A": "YE (year end) or YS (year start)", "AS": "YS", "BM": "BME", "BQ": "BQE", "BH": "bh",
    "d": "D", "w": "W", "b": "B", "m": "min (minutes) or MS (months)", "hour": "h",
    "hourly": "h", "day": "D", "daily": "D", "week": "W", "weekly": "W", "month": "MS",
    "monthly": "MS", "minute": "min", "second": "s", "year": "YS", "yearly": "YS",
    "quarter": "QS", "quarterly": "QS",
}  # fmt: skip


@dataclass(frozen=True)
class Frequency:
    """A step in time and what follows from it. Make one with `Frequency.parse`.

    Times are int64 Unix seconds UTC everywhere. Calendar steps (months, business days) follow
    pandas' offsets; steps of constant length need no pandas, which keeps light commands fast.

    Attributes:
        alias: The canonical pandas offset alias.
        step: Length of a step in seconds, or None where it varies (months, business days).
        phase: For weeks anchored to a weekday, the day number modulo 7 of that weekday (day 0 is
            1970-01-01); None where a grid may start at any time.
    """

    alias: str
    step: int | None
    phase: int | None = None

    @staticmethod
    def parse(alias: str) -> Frequency:
        """The frequency of a pandas offset alias such as `h`, `15min`, `D`, `W-SAT`, `MS`, `B`.

        Raises:
            BadInputError: If the alias is unknown, not positive, or shorter than a second.
        """
        return _parse(alias)

    @property
    def is_date(self) -> bool:
        """Whether a step is a date, not an instant: steps of whole days and calendar steps.

        A day in Berlin has 23, 24 or 25 hours, so the midnights of a local time zone are no
        regular grid in UTC. Such a step is the date there, kept as that date's midnight UTC.
        """
        return self.step is None or self.step % DAY == 0

    @property
    def season(self) -> int:
        """Steps in the natural season: 24 for hours, 48 for half hours, 7 for days, 52 for weeks.

        Steps below a minute have the minute as their season, below a day the day, days the week,
        weeks the year (52), business days the week (5), months and quarters the year (12, 4),
        years none (1). Where a step does not divide its cycle, the next longer cycle is taken;
        1 means that there is none. The periods are those of R. J. Hyndman, "Seasonal periods"
        (2014), as in gluonts' `get_seasonality`, but 7 for days and 52 for weeks.
        """
        if self.step is not None:
            step = self.step
            first = 0 if step < 60 else 2 if step < DAY else 3 if step < WEEK else 4
            whole = [c // step for c in _CYCLES[first:] if c % step == 0 and c > step]
            return whole[0] if whole else 1
        multiple, base = self._base
        if base in ("B", "C"):
            cycle = 5
        elif base.endswith("bh") or base == "cbh":
            cycle = 8
        elif base.startswith("SM"):
            cycle = 24
        else:
            cycle = next((n for k, n in _CALENDAR_SEASON.items() if k in base), 1)
        return cycle // multiple if cycle % multiple == 0 else 1

    @property
    def mean_step(self) -> float:
        """Average length of a step in seconds."""
        if self.step is not None:
            return float(self.step)
        import pandas as pd

        some = pd.date_range("2000-01-01", periods=481, freq=self.offset, unit="s")
        return float((some[-1] - some[0]).total_seconds()) / 480

    @property
    def offset(self) -> BaseOffset:
        """The pandas offset."""
        from pandas.tseries.frequencies import to_offset

        return to_offset(self.alias)

    def grid(self, start: int, end: int) -> Seconds:
        """All steps from `start` to `end`, both included where they are on the grid.

        A grid of constant steps begins at `start`; an anchored one (weeks, calendar steps) begins
        at the first step at or after `start` and keeps its time of day.

        Returns:
            int64 `[steps]`, Unix seconds UTC, ascending; empty if there is no step.
        """
        import numpy as np

        if self.step is not None:
            first = self._align(start)
            return np.arange(first, max(end, first - 1) + 1, self.step, dtype=np.int64)
        import pandas as pd

        if end < start:
            return np.empty(0, np.int64)
        index = pd.date_range(
            pd.Timestamp(start, unit="s"),
            pd.Timestamp(end, unit="s"),
            freq=self.offset,
            unit="s",
        )
        return _seconds(index)

    def index_of(self, times: npt.ArrayLike, start: int) -> Seconds:
        """The step number of each time on the grid that begins at `start`; -1 off the grid.

        Args:
            times: Unix seconds UTC, any order.
            start: A time on the grid, usually the first of the series; earlier times get -1.

        Returns:
            int64, as many as `times`: consecutive steps have consecutive numbers.
        """
        import numpy as np

        array = np.asarray(times, dtype=np.int64)
        if self.step is not None:
            ahead = array - self._align(start)
            number = ahead // self.step
            return np.where((ahead >= 0) & (ahead % self.step == 0), number, -1)
        if array.size == 0:
            return np.empty(0, np.int64)
        grid = self.grid(start, int(array.max()))
        if grid.size == 0:
            return np.full(array.shape, -1, np.int64)
        position = np.minimum(np.searchsorted(grid, array), len(grid) - 1)
        return np.where(grid[position] == array, position, -1).astype(np.int64)

    def steps_between(self, start: int, end: int) -> int:
        """Steps from `start` to `end`, both on the grid; negative if `end` comes first.

        Raises:
            BadInputError: If `end` is not a whole number of steps from `start`.
        """
        low, high = min(start, end), max(start, end)
        number = int(self.index_of([high], low)[0]) if self.on_grid([low])[0] else -1
        if number < 0:
            raise BadInputError(
                f"{_stamp(end)} is not a whole number of steps of {self.alias!r} from "
                f"{_stamp(start)}"
            )
        return number if end >= start else -number

    def on_grid(self, times: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each time may be a step: the weekday of `W-SAT`, the first day of `MS`.

        A frequency without an anchor (hours, days) may start anywhere: all true.
        """
        import numpy as np

        array = np.asarray(times, dtype=np.int64)
        if self.step is not None:
            if self.phase is None:
                return np.ones(array.shape, np.bool_)
            return np.equal((array // DAY) % 7, self.phase, dtype=np.bool_)
        import pandas as pd

        distinct, inverse = np.unique(array, return_inverse=True)
        offset = self.offset
        answers = np.asarray(
            [offset.is_on_offset(t) for t in pd.to_datetime(distinct, unit="s")], np.bool_
        )
        result: npt.NDArray[np.bool_] = answers[inverse].reshape(array.shape)
        return result

    def shift(self, time: int, steps: int) -> int:
        """The time `steps` steps after `time` (before, if negative), in Unix seconds UTC."""
        if self.step is not None:
            return self._align(time) + steps * self.step
        import pandas as pd

        moved: Any = pd.Timestamp(time, unit="s") + steps * self.offset
        return int(moved.timestamp())

    @property
    def _base(self) -> tuple[int, str]:
        match = re.match(r"(\d*)(\w+)", self.alias)
        assert match is not None, self.alias
        return int(match[1] or 1), match[2]

    def _align(self, start: int) -> int:
        if self.phase is None:
            return start
        return start + (self.phase - start // DAY) % 7 * DAY


@lru_cache(maxsize=128)
def _parse(alias: str) -> Frequency:
    simple = _SIMPLE.fullmatch(alias)
    if simple and (simple[3] is None or simple[2] == "W"):
        count = int(simple[1] or 1)
        if count < 1:
            raise BadInputError(f"frequency {alias!r}: expected a step of at least one second")
        if simple[2] == "W":
            return _weekly(count, simple[3] or "SUN")
        return _constant(count * _UNITS[simple[2]])
    base = re.sub(r"^[\d.]+", "", alias).split("-")[0]
    if base in _OLD:
        raise BadInputError(f"frequency {alias!r}: no pandas offset alias; write {_OLD[base]}")
    import pandas as pd
    from pandas.tseries.frequencies import to_offset

    try:
        offset = to_offset(alias)
    except ValueError:
        offset = None
    if offset is None:
        raise BadInputError(
            f"frequency {alias!r}: expected a pandas offset alias such as s, min, 15min, h, D, B, "
            "W-SAT, MS, ME, QS, YS"
        )
    if offset.n < 1:
        raise BadInputError(f"frequency {alias!r}: expected a step that goes forward in time")
    if not isinstance(offset, pd.offsets.Tick):
        return Frequency(str(offset.freqstr), None)
    nanos = int(offset.nanos)
    if nanos < 10**9 or nanos % 10**9:
        raise BadInputError(
            f"frequency {alias!r}: expected whole seconds; times are kept to the second, so "
            "resample the data to steps of at least one second first"
        )
    return _constant(nanos // 10**9)


def _constant(seconds: int) -> Frequency:
    unit = next(u for u in ("D", "h", "min", "s") if seconds % _UNITS[u] == 0)
    count = seconds // _UNITS[unit]
    return Frequency(f"{count if count > 1 else ''}{unit}", seconds)


def _weekly(count: int, weekday: str) -> Frequency:
    # 1970-01-01 was a Thursday, the fourth of the week.
    phase = (_WEEKDAYS.index(weekday) - 3) % 7
    return Frequency(f"{count if count > 1 else ''}W-{weekday}", count * WEEK, phase)


def _seconds(index: DatetimeIndex) -> Seconds:
    import numpy as np

    return index.to_numpy().astype("datetime64[s]").astype(np.int64)


def _stamp(time: int) -> str:
    import numpy as np

    return str(np.datetime64(time, "s")) + "Z"
