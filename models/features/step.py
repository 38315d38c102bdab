"""`Step`: the step of a series as arithmetic on Unix seconds, from a pandas offset alias."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

from models.errors import BadInputError

Kind = Literal["seconds", "business_days", "months"]
Day = Literal["start", "end", "business_start", "business_end"]

_MONTHS: dict[str, tuple[int, Day]] = {
    "MonthBegin": (1, "start"),
    "MonthEnd": (1, "end"),
    "BusinessMonthBegin": (1, "business_start"),
    "BusinessMonthEnd": (1, "business_end"),
    "QuarterBegin": (3, "start"),
    "QuarterEnd": (3, "end"),
    "BQuarterBegin": (3, "business_start"),
    "BQuarterEnd": (3, "business_end"),
    "YearBegin": (12, "start"),
    "YearEnd": (12, "end"),
    "BYearBegin": (12, "business_start"),
    "BYearEnd": (12, "business_end"),
}


@dataclass(frozen=True)
class Step:
    """One step of a regular time index.

    Attributes:
        kind: What the step counts.
        count: How many of them one step is.
        day: For months: the day of the month on which the steps fall.
    """

    kind: Kind
    count: int
    day: Day = "start"

    @classmethod
    def parse(cls, frequency: str) -> Step:
        """The step of a pandas offset alias such as `h`, `15min`, `D`, `W-SAT`, `B`, `MS`, `QE`.

        Raises:
            BadInputError: If the alias is unknown, not a whole number of seconds, not forward in
                time, or has steps whose calendar cannot be computed inside a graph.
        """
        from pandas import Timedelta
        from pandas.tseries import offsets
        from pandas.tseries.frequencies import to_offset

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # Old spellings are still right.
                offset = to_offset(frequency)
        except ValueError as error:
            raise BadInputError(
                f"data.frequency: {frequency!r} is not a pandas offset alias ({error}); "
                "expected for example h, 15min, D, W-SAT, B, MS"
            ) from error
        name, count = type(offset).__name__, int(offset.n)
        if count < 1:
            raise BadInputError(f"data.frequency: {frequency!r} does not go forward in time")
        if name in _MONTHS:
            months, day = _MONTHS[name]
            return cls("months", months * count, day)
        if name == "BusinessDay" and getattr(offset, "offset", None) == Timedelta(0):
            return cls("business_days", count)
        if name == "Week":
            return cls("seconds", 7 * 86400 * count)
        if name == "Day":
            return cls("seconds", 86400 * count)
        if isinstance(offset, offsets.Tick):
            if offset.nanos % 1_000_000_000:
                raise BadInputError(
                    f"data.frequency: {frequency!r} is not a whole number of seconds, the finest "
                    "step that time stamps can tell apart"
                )
            return cls("seconds", offset.nanos // 1_000_000_000)
        raise BadInputError(
            f"data.frequency: calendar features are not defined for {frequency!r} ({name}); "
            "expected seconds to weeks, B, or month, quarter and year offsets. Remove "
            "covariates.calendar or resample the data"
        )
