"""`build_store`: from Parquet Examples to windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.ingest.config import GapsConfig
from components.windows.examples import Piece, read_series
from components.windows.report import WindowsReport
from models.errors import BadInputError
from models.frequency import Frequency
from models.roles import Roles
from models.windows.holes import Fill, fill, runs, stretches
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS
from models.windows.writer import StoreWriter

Boundaries = tuple[int, int, int, int]


def build_store(
    examples: Path,
    boundaries: Boundaries,
    spec: WindowSpec,
    roles: Roles,
    gaps: GapsConfig,
    frequency: str,
    out: Path,
) -> WindowsReport:
    """Lays the series of all splits end to end and finds the windows of each split.

    A step without a row, and a step whose row misses a target or a past or future covariate, is
    in a hole. A run of more than `gaps.max` missing values in any column splits the series:
    a window there would hold an invented value. Shorter runs are filled column by column (see
    `models.windows.holes.fill`) and flagged in `observed`. Segments begin and end at steps where
    every column is observed. A window belongs to the split that holds its whole label range; its
    inputs may reach back into earlier splits.

    Memory is bounded by the longest series, not by the data: about twice its size in float32.

    Args:
        examples: Folder of the Examples artifact, as docs/architecture.md describes it.
        boundaries: Unix seconds at which train, validation and test start and test ends.
        spec: The window definition.
        roles: The columns by role.
        gaps: What to do about holes.
        frequency: Step as a pandas offset alias.
        out: Folder for the store.

    Returns:
        What was found. The store is in `out`; load it with `SeriesStore.load`.

    Raises:
        BadInputError: If a split gets no window, a series has no or two values of a static
            covariate, times are off the grid or not ascending, or the Examples are broken.
            Nothing that looks like a store is left in `out` then.
    """
    step = Frequency.parse(frequency)
    writer = StoreWriter(out, spec, roles, step.alias, boundaries, gaps.fill)
    try:
        count = _Count()
        names: list[str] = []
        static: dict[str, list[Any]] = {name: [] for name in roles.covariates.static}
        rows = _Rows(len(roles.dynamic))
        for pieces in read_series(examples, roles):
            name, statics = rows.read(pieces, boundaries[3])
            count.unused_rows += rows.unused
            if not len(rows.time):
                continue
            for column, value in _constants(name, statics, roles).items():
                static[column].append(value)
            _lay(rows, len(names), name, step, gaps, writer, count)
            names.append(name)
        _no_mixed_static(static)
        _every_split_has_windows(writer, spec, count, len(names))
        windows, segments, total = writer.windows, writer.segments, writer.rows
        writer.finish(tuple(names), {k: tuple(v) for k, v in static.items()})
    except BaseException:
        writer.abandon()
        raise
    return WindowsReport(
        windows=windows,
        series=len(names),
        empty_series=count.empty_series,
        rows=total,
        segments=segments,
        holes_filled=count.holes_filled,
        holes_splitting=count.holes_splitting,
        filled_cells=count.filled_cells,
        longest_hole=count.longest_hole,
        trimmed_steps=count.trimmed_steps,
        unused_rows=count.unused_rows,
    )


@dataclass
class _Count:
    empty_series: int = 0
    holes_filled: int = 0
    holes_splitting: int = 0
    filled_cells: int = 0
    longest_hole: int = 0
    trimmed_steps: int = 0
    unused_rows: int = 0
    longest: int = 0
    steps: dict[str, int] | None = None
    stretch: dict[str, int] | None = None

    def split_steps(self, steps: dict[str, int]) -> None:
        """Adds a segment's steps in each split."""
        self.steps = self.steps or dict.fromkeys(SPLITS, 0)
        self.stretch = self.stretch or dict.fromkeys(SPLITS, 0)
        for split, n in steps.items():
            self.steps[split] += n
            self.stretch[split] = max(self.stretch[split], n)
        self.longest = max(self.longest, sum(steps.values()))


class _Rows:
    """The rows of one series; the buffer grows in place and is used again for the next."""

    def __init__(self, columns: int) -> None:
        self._time = np.empty(0, np.int64)
        self._values = np.empty((0, columns), np.float32)
        self.time, self.values = self._time, self._values
        self.unused = 0

    def read(self, pieces: Iterator[Piece], end: int) -> tuple[str, dict[str, set[Any]]]:
        """Reads the pieces of one series, leaving out rows at or after `end`."""
        used, self.unused = 0, 0
        # Views of the buffers would stop them from growing in place.
        self.time, self.values = self._time[:0], self._values[:0]
        name = ""
        statics: dict[str, set[Any]] = {}
        for piece in pieces:
            name = _series_name(piece.series)
            for column, values in piece.static.items():
                statics.setdefault(column, set()).update(values)
            keep = len(piece.time)
            if keep and piece.time[-1] >= end:
                keep = int((piece.time < end).sum())
                self.unused += len(piece.time) - keep
            if used + keep > len(self._time):
                self._grow(used + keep)
            self._time[used : used + keep] = piece.time[:keep]
            self._values[used : used + keep] = piece.values[:keep]
            used += keep
        self.time, self.values = self._time[:used], self._values[:used]
        return name, statics

    def _grow(self, needed: int) -> None:
        rows = max(needed, 2 * len(self._time))
        # realloc moves pages instead of copying them; the views handed out are dropped first.
        self.time, self.values = np.empty(0, np.int64), np.empty((0, 0), np.float32)
        self._time.resize(rows, refcheck=False)
        self._values.resize((rows, self._values.shape[1]), refcheck=False)


def _lay(
    rows: _Rows,
    series: int,
    name: str,
    step: Frequency,
    gaps: GapsConfig,
    writer: StoreWriter,
    count: _Count,
) -> None:
    time, values = rows.time, rows.values
    if (np.diff(time) <= 0).any():
        raise BadInputError(
            f"series {name!r}: times in the Examples are not ascending; run ingest again"
        )
    index = step.index_of(time, int(time[0]))
    if (index < 0).any():
        wrong = time[int(np.argmax(index < 0))]
        raise BadInputError(
            f"series {name!r}: {np.datetime64(int(wrong), 's')}Z is not on the grid of "
            f"{step.alias!r} that begins at {np.datetime64(int(time[0]), 's')}Z; correct "
            "data.frequency or the data"
        )
    means = _train_means(time, values, writer.boundaries, gaps.fill)
    last = -1
    cuts = np.flatnonzero(np.diff(index) - 1 > gaps.max) + 1
    for low, high in zip([0, *cuts], [*cuts, len(index)], strict=True):
        start = int(index[low])
        grid, grid_time = _grid(index[low:high] - start, time[low:high], values[low:high], step)
        observed = ~np.isnan(grid)
        for first, stop in stretches(observed, gaps.max):
            segment, mask = grid[first:stop], observed[first:stop]
            moments = grid_time[first:stop]
            if not mask.all():
                holes = runs(~np.logical_and.reduce(mask, axis=1))
                count.holes_filled += len(holes)
                count.longest_hole = max(count.longest_hole, int(np.diff(holes).max()))
                count.filled_cells += int((~mask).sum())
                borders = np.searchsorted(moments, writer.boundaries)
                fill(segment, mask, gaps.fill, borders, means)
            hole = start + int(first) - last - 1
            if last >= 0:
                count.holes_splitting += 1
                count.longest_hole = max(count.longest_hole, hole)
            else:
                count.trimmed_steps += hole
            last = start + int(stop) - 1
            count.split_steps(writer.append(series, segment, mask, moments))
    if last < 0:
        count.empty_series += 1
    count.trimmed_steps += int(index[-1]) - last


def _grid(
    index: npt.NDArray[np.int64],
    time: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    step: Frequency,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Rows laid on consecutive steps, nan where there is no row, and the times of all steps."""
    steps = int(index[-1]) + 1
    if steps == len(index):
        return values, time
    grid = np.full((steps, values.shape[1]), np.nan, np.float32)
    grid[index] = values
    return grid, step.grid(int(time[0]), int(time[-1]))


def _train_means(
    time: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    boundaries: Boundaries,
    kind: Fill,
) -> npt.NDArray[np.float64]:
    """Mean of the observed train values of each column; nan where there are none, or no need."""
    means = np.full(values.shape[1], np.nan)
    if kind != "mean":
        return means
    low, high = np.searchsorted(time, boundaries[:2])
    for column in range(values.shape[1]):
        known = values[low:high, column]
        known = known[~np.isnan(known)]
        if len(known):
            means[column] = known.mean(dtype=np.float64)
    return means


def _series_name(series: bytes) -> str:
    return series.decode("utf-8", errors="backslashreplace")


def _constants(name: str, statics: dict[str, set[Any]], roles: Roles) -> dict[str, Any]:
    found = {}
    for column in roles.covariates.static:
        values = statics.get(column, set())
        if len(values) != 1:
            what = (
                f"the values {', '.join(sorted(map(repr, values))[:3])}" if values else "no value"
            )
            raise BadInputError(
                f"series {name!r} has {what} of the static covariate {column!r}, expected exactly "
                "one: complete the data, or list the column under covariates.past or future"
            )
        found[column] = next(iter(values))
    return found


def _no_mixed_static(static: dict[str, list[Any]]) -> None:
    for column, values in static.items():
        if len({isinstance(v, str) for v in values}) > 1:
            raise BadInputError(f"static covariate {column!r} mixes text and numbers")


def _every_split_has_windows(
    writer: StoreWriter, spec: WindowSpec, count: _Count, series: int
) -> None:
    for split, windows in writer.windows.items():
        if windows:
            continue
        steps = (count.steps or {}).get(split, 0)
        stretch = (count.stretch or {}).get(split, 0)
        raise BadInputError(
            f"the {split} split gets no window: it has {steps} usable steps in {series} series, at "
            f"most {stretch} in a row, and the longest stretch without a hole over all splits has "
            f"{count.longest}; a window needs {spec.horizon} steps in a row of its own split for "
            f"its labels, and {spec.span} in a row with its inputs (lookback {spec.lookback} + gap "
            f"{spec.gap} + horizon {spec.horizon}). Make window.lookback or window.horizon "
            f"smaller, the {split} split larger, or raise gaps.max if holes are in the way"
        )
