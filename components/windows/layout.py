"""`Layout`: lays one series on its grid of steps, piece by piece, and writes its segments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.frequency import Frequency
from models.windows.gaps import GapsConfig
from models.windows.grid import dense
from models.windows.holes import fill, runs, stretches
from models.windows.store import SPLITS
from models.windows.writer import StoreWriter


@dataclass
class Count:
    """What was met while laying out all series; see `WindowsReport` for what is not said here.

    Attributes:
        steps: Steps in segments, by split.
        stretch: Most steps in a row, by split.
        longest: Most steps in a row over all splits.
    """

    empty_series: int = 0
    holes_filled: int = 0
    holes_splitting: int = 0
    filled_cells: int = 0
    longest_hole: int = 0
    trimmed_steps: int = 0
    unused_rows: int = 0
    longest: int = 0
    steps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    stretch: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))


class Layout:
    """Takes the rows of one series in order and writes its segments.

    Rows are worked on in blocks that begin and end at complete rows, where every column is
    observed: no run of missing values reaches over one, so that a block holds all that its holes
    need. Neighbouring blocks share the complete row between them.

    Args:
        series: Index of the series.
        name: Its id, for messages.
        step: The frequency.
        gaps: What to do about holes.
        means: float64 `[columns]`, for `gaps.fill: mean`; nan where there is none.
        writer: Gets the segments.
        count: Gets the counts.
    """

    def __init__(
        self,
        series: int,
        name: str,
        step: Frequency,
        gaps: GapsConfig,
        means: npt.NDArray[np.float64],
        writer: StoreWriter,
        count: Count,
    ) -> None:
        self.name = name
        self._series, self._step, self._gaps, self._means = series, step, gaps, means
        self._writer, self._count = writer, count
        self._times: list[npt.NDArray[np.int64]] = []
        self._values: list[npt.NDArray[np.float32]] = []
        self._start: int | None = None
        self._end = -1  # the last step in a segment, counted from the start of the series
        self._last = -1  # the last step there is

    def add(self, time: npt.NDArray[np.int64], values: npt.NDArray[np.float32]) -> None:
        """Takes the next rows.

        Args:
            time: int64 `[n]`, Unix seconds, ascending.
            values: float32 `[n, columns]`, nan where missing.

        Raises:
            BadInputError: If times are not ascending or not on the grid.
        """
        complete = np.flatnonzero(~np.isnan(values).any(axis=1))
        cut = int(complete[-1]) + 1 if len(complete) else 0
        if cut:
            self._times.append(time[:cut])
            self._values.append(values[:cut])
            self._work()
        # Copies, so that a row group does not stay in memory for the sake of a few of its rows.
        self._times.append(time[max(cut - 1, 0) :].copy())
        self._values.append(values[max(cut - 1, 0) :].copy())

    def finish(self) -> None:
        """Ends the series.

        Raises:
            BadInputError: As `add`.
        """
        self._work()
        self._end_segment()
        if self._end < 0:
            self._count.empty_series += 1
        self._count.trimmed_steps += self._last - self._end

    def _work(self) -> None:
        """Lays out all rows that wait."""
        time = self._times[0] if len(self._times) == 1 else np.concatenate(self._times)
        values = self._values[0] if len(self._values) == 1 else np.concatenate(self._values)
        self._times, self._values = [], []
        index = self._index(time)
        self._last = int(index[-1])
        cuts = np.flatnonzero(np.diff(index) - 1 > self._gaps.max) + 1
        for low, high in zip([0, *cuts], [*cuts, len(index)], strict=True):
            self._lay(index[low:high], time[low:high], values[low:high])

    def _index(self, time: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if (np.diff(time) <= 0).any():
            raise BadInputError(
                f"series {self.name!r}: times in the Examples are not ascending; run ingest again"
            )
        if self._start is None:
            self._start = int(time[0])
        index = self._step.index_of(time, self._start)
        if (index < 0).any():
            wrong = int(time[int(np.argmax(index < 0))])
            raise BadInputError(
                f"series {self.name!r}: {np.datetime64(wrong, 's')}Z is not on the grid of "
                f"{self._step.alias!r} that begins at {np.datetime64(self._start, 's')}Z; correct "
                "data.frequency or the data"
            )
        return index

    def _lay(
        self,
        index: npt.NDArray[np.int64],
        time: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
    ) -> None:
        """Writes rows that no long row of missing steps parts."""
        start = int(index[0])
        grid, grid_time = dense(self._step, index - start, time, values)
        observed = ~np.isnan(grid)
        for first, stop in stretches(observed, self._gaps.max):
            part = slice(int(first), int(stop))
            self._fill(grid[part], observed[part], grid_time[part])
            if self._end >= 0 and start + part.start == self._end:
                part = slice(part.start + 1, part.stop)  # the shared row is written already
            else:
                self._begin_segment(start + part.start)
            self._writer.extend(grid[part], observed[part], grid_time[part])
            self._end = start + part.stop - 1

    def _fill(
        self,
        values: npt.NDArray[np.float32],
        observed: npt.NDArray[np.bool_],
        time: npt.NDArray[np.int64],
    ) -> None:
        if observed.all():
            return
        holes = np.diff(runs(~np.logical_and.reduce(observed, axis=1)))
        self._count.holes_filled += len(holes)
        self._count.longest_hole = max(self._count.longest_hole, int(holes.max()))
        self._count.filled_cells += int((~observed).sum())
        borders = np.searchsorted(time, self._writer.boundaries)
        fill(values, observed, self._gaps.fill, borders, self._means)

    def _begin_segment(self, step: int) -> None:
        hole = step - self._end - 1
        if self._end < 0:
            self._count.trimmed_steps += hole
            return
        self._end_segment()
        self._count.holes_splitting += 1
        self._count.longest_hole = max(self._count.longest_hole, hole)

    def _end_segment(self) -> None:
        steps, count = self._writer.end_segment(self._series), self._count
        for split, n in steps.items():
            count.steps[split] += n
            count.stretch[split] = max(count.stretch[split], n)
        count.longest = max(count.longest, sum(steps.values()))
