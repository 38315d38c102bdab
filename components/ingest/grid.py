"""`Grid`: the time steps from the first to the last row over all series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.ingest.rejects import OFF_GRID
from models.errors import BadInputError
from models.frequency import DAY, Frequency

if TYPE_CHECKING:
    from components.ingest.stage import Stage

Seconds = npt.NDArray[np.int64]
_SAMPLE = 2_000
_SHOWN = 3


@dataclass(frozen=True)
class Grid:
    """Steps `0 .. steps - 1`; `points` lists them where they are not of constant length."""

    frequency: Frequency
    first: int
    last: int
    points: Seconds | None

    @classmethod
    def of(cls, stage: Stage) -> Grid:
        """The grid that most staged rows are on, and the table `off_grid` of (t, series) off it.

        Raises:
            BadInputError: If no more than half of the rows are on one grid: the frequency is
                wrong, whatever `data.on_bad_rows` says.
        """
        frequency, rows = stage.frequency, stage.number()
        if frequency.step is not None:
            on = _constant(stage, frequency)
            points = None
        else:
            points = _calendar(stage, frequency)
            on = "t IN (SELECT t FROM points)"
        stage.connection.execute(
            "CREATE OR REPLACE TABLE off_grid AS "
            f"SELECT DISTINCT t, series FROM staged WHERE NOT ({on})"
        )
        bounds = stage.one(f"SELECT min(t), max(t), count(*) FROM staged WHERE {on}")
        if 2 * bounds[2] <= rows:
            raise BadInputError(_wrong(stage, rows - int(bounds[2]), rows))
        first, last = int(bounds[0]), int(bounds[1])
        if points is not None:
            points = points[(points >= first) & (points <= last)]
        return cls(frequency, first, last, points)

    @property
    def steps(self) -> int:
        """Number of steps, first and last included."""
        if self.points is not None:
            return len(self.points)
        assert self.frequency.step is not None
        return (self.last - self.first) // self.frequency.step + 1

    def index(self, times: Seconds) -> Seconds:
        """The step number of times that are on the grid."""
        if self.points is not None:
            return np.searchsorted(self.points, times)
        assert self.frequency.step is not None
        return (times - self.first) // self.frequency.step

    def at(self, index: int) -> int:
        """The time of a step; the one after the last is there too."""
        if self.points is not None and index < len(self.points):
            return int(self.points[index])
        return self.frequency.shift(self.first, index)


def _constant(stage: Stage, frequency: Frequency) -> str:
    """SQL of whether a row is at the most frequent phase of the step."""
    step = frequency.step
    anchored = "true"
    if frequency.phase is not None:
        # Days before 1970 are negative: // rounds towards zero there, floor does not.
        day = f"(floor(t / {DAY})::BIGINT % 7 + 7) % 7"
        anchored = f"{day} = {frequency.phase}"
    phase = f"((t % {step}) + {step}) % {step}"
    rows = stage.connection.execute(
        f"SELECT {phase} AS p, count(*) AS n FROM staged WHERE {anchored} "
        "GROUP BY p ORDER BY n DESC, p LIMIT 1"
    ).fetchall()
    return f"({phase}) = {rows[0][0]} AND {anchored}" if rows else "false"


def _calendar(stage: Stage, frequency: Frequency) -> Seconds:
    """The steps from first to last row at the most frequent time of day, also as a table."""
    import pyarrow as pa

    day = f"((t % {DAY}) + {DAY}) % {DAY}"
    row = stage.one(
        "SELECT min(t), max(t) FROM staged"
        if "h" in frequency.alias
        else "SELECT arg_max(first, n), (SELECT max(t) FROM staged) FROM "
        f"(SELECT {day} AS p, min(t) AS first, count(*) AS n FROM staged GROUP BY p)"
    )
    points = frequency.grid(int(row[0]), int(row[1]))
    stage.connection.register("points_arrow", pa.table({"t": pa.array(points, pa.int64())}))
    stage.connection.execute("CREATE OR REPLACE TABLE points AS SELECT t FROM points_arrow")
    stage.connection.unregister("points_arrow")
    return points


def _wrong(stage: Stage, off: int, rows: int) -> str:
    """Words for a frequency that most rows do not have."""
    frequency = stage.data.frequency
    stage.connection.execute(
        "CREATE OR REPLACE TABLE off_grid_first AS "
        f"SELECT * FROM off_grid ORDER BY t, series LIMIT {_SHOWN}"
    )
    first = [reject for _, reject in stage.rows_at("off_grid_first", OFF_GRID)]
    places = "".join(f"\n  {reject.place}: {reject.value}" for reject in first[:_SHOWN])
    looks = guess(first_times(stage))
    return (
        f"data.frequency {frequency!r}: {off} of {rows} times are not on its grid; "
        + (
            f"they look like {looks}; set data.frequency: {looks}"
            if looks
            else "check data.frequency and data.time"
        )
        + places
    )


def first_times(stage: Stage) -> Seconds:
    """Sorted distinct times of one series, a few thousand at most."""
    rows = stage.connection.execute(
        "SELECT DISTINCT t FROM staged WHERE series = (SELECT min(series) FROM staged) "
        f"ORDER BY t LIMIT {_SAMPLE}"
    ).fetchall()
    return np.asarray([row[0] for row in rows], np.int64)


def guess(times: Seconds) -> str | None:
    """The frequency that sorted distinct times look like, as a pandas offset alias."""
    import pandas as pd

    if len(times) < 3:
        return None
    stamps = pd.to_datetime(times, unit="s")
    try:
        inferred = pd.infer_freq(stamps)
    except ValueError:
        inferred = None
    if inferred is not None:
        return str(inferred)
    # With holes in it, what most neighbours say.
    steps, counts = np.unique(np.diff(times), return_counts=True)
    if 2 * counts.max() <= counts.sum():
        return None
    try:
        return Frequency.parse(f"{int(steps[counts.argmax()])}s").alias
    except BadInputError:
        return None
