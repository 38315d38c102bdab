"""The data as it arrives: a file for each day, with what goes wrong in a quarter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from tests.shared_data import shared_data

NIGHTS = 90
HISTORY = 56
"""Days that are there before the first night: as many spans as the pipeline trains on."""
FIRST = date(2016, 8, 27)
"""The day whose file the first night finds."""
COLUMN = "HUFL"
PATH = "days/load-{YYYY}-{MM}-{DD}-v{VERSION}.csv"

LATE, LATE_BY = 12, 2
WRONG, CORRECTED = 20, 22
MISSING = 26
BROKEN, MENDED = 33, 34
SHIFT, SHIFT_FACTOR = 48, 1.3
OUTAGE = 58
KILL = 71
"""Nights, counted from 1."""
EVENTS = {
    LATE: f"the file of the day is late by {LATE_BY} days",
    WRONG: "six hours of the file are wrong",
    CORRECTED: f"a corrected file of night {WRONG}",
    MISSING: "no file, ever",
    BROKEN: "the column has another name",
    MENDED: f"a mended file of night {BROKEN}",
    SHIFT: f"from here on every value times {SHIFT_FACTOR}",
    OUTAGE: "the tracking server is down",
    KILL: "the run is killed",
}


def load() -> pd.Series:
    """High useful load of a transformer (ETTh1) by hour, float, with the shift of the level."""
    path = shared_data("ett") / "ETTh1.csv"
    hourly = pd.read_csv(path, parse_dates=["date"], index_col="date")[COLUMN].astype(float)
    shifted = hourly.index >= pd.Timestamp(day_of(SHIFT))
    return hourly.where(~shifted, hourly * SHIFT_FACTOR)


def day_of(night: int) -> date:
    """The day whose data night `night` should find; 0 and below are the history."""
    return FIRST + timedelta(days=night - 1)


@dataclass(frozen=True)
class Feed:
    """Writes the files of a night.

    Attributes:
        folder: Where `PATH` starts.
        hourly: From `load`.
    """

    folder: Path
    hourly: pd.Series

    def history(self) -> None:
        """Writes the days before the first night."""
        for night in range(1 - HISTORY, 1):
            self._write(night)

    def arrive(self, night: int) -> tuple[str, ...]:
        """Writes what has arrived by night `night` and returns the days, with their versions."""
        days: list[tuple[int, int]] = []
        if night not in (LATE, MISSING):
            days.append((night, 0))
        if night == LATE + LATE_BY:
            days.append((LATE, 0))
        for bad, good in ((WRONG, CORRECTED), (BROKEN, MENDED)):
            if night == good:
                days.append((bad, 1))
        return tuple(self._write(*day) for day in sorted(days))

    def _write(self, night: int, version: int = 0) -> str:
        day = day_of(night)
        values = self.hourly.loc[f"{day}"].rename(COLUMN).to_frame()
        if version == 0 and night == WRONG:
            values.iloc[6:12] *= 3
        if version == 0 and night == BROKEN:
            values = values.rename(columns={COLUMN: "riders"})
        name = PATH.format(YYYY=day.year, MM=f"{day:%m}", DD=f"{day:%d}", VERSION=version)
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        values.to_csv(path, index_label="time")
        return f"{day:%m-%d}" + (f" v{version}" if version else "")
