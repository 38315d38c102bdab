"""`Periods`: the numbered stretches of time that a growing source is cut into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("h", "D", "W", "M", "Q", "Y")
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def period_problem(alias: str) -> str | None:
    """What is wrong with the name of a period, or None."""
    kind, dash, day = alias.partition("-")
    if kind in KINDS and not dash:
        return None
    if kind == "W" and day in _WEEKDAYS:
        return None
    return (
        f"received {alias!r}, expected one period of time as pandas names it: "
        f"{', '.join(KINDS)}, or a week by its last day such as W-SAT"
    )


@dataclass(frozen=True)
class Periods:
    """Periods of one length, in UTC, numbered as pandas does: days since 1970-01-01 for `D`."""

    alias: str

    def number(self, time: int) -> int:
        """The period that a Unix second lies in."""
        return int(self._period(time).ordinal)

    def bounds(self, number: int) -> tuple[int, int]:
        """Its first Unix second, and the first one after it."""
        return self._start(number), self._start(number + 1)

    def label(self, number: int) -> str:
        """What messages call it: `2024-01-31`, `2024-01-29/2024-02-04`, `2024-01`."""
        import pandas as pd

        return str(pd.Period(ordinal=number, freq=self.alias))

    def _period(self, time: int) -> pd.Period:
        import pandas as pd

        return pd.Timestamp(time, unit="s").to_period(self.alias)

    def _start(self, number: int) -> int:
        import pandas as pd

        return int(pd.Period(ordinal=number, freq=self.alias).start_time.timestamp())
