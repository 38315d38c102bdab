"""`Run`: rows of one series with no long stretch of missing rows between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.history.piece import Piece, cut
from models.history.recipe import WindowRecipe
from models.history.refusal import Known, Refusal
from models.history.segments import Segment, segments
from models.windows.grid import dense
from models.windows.holes import Mask

Rows = npt.NDArray[np.int64]


class Run:
    """Consecutive steps, of which those no longer needed can be dropped from the front.

    Rows are counted from the first step at hand.

    Args:
        recipe: The model's.
        series: The series' id.
        before: Missing steps before the first row; 0 if the series begins with it.

    Attributes:
        time: int64 `[n]`, Unix seconds UTC.
        longest: Steps of the longest segment met by `settle`.
    """

    def __init__(self, recipe: WindowRecipe, series: str, before: int) -> None:
        self.time: Rows = np.empty(0, np.int64)
        self.longest = 0
        self._recipe, self._series, self._before = recipe, series, before
        self._grid = np.empty((0, len(recipe.roles.dynamic)), np.float32)
        self._dropped = False
        self._first, self._start = 0, None  # type: tuple[int, int | None]
        self._settled = -1  # the last row of which it is known whether it is an origin

    def __len__(self) -> int:
        return len(self.time)

    def add(self, steps: Rows, time: Rows, values: npt.NDArray[np.float32]) -> None:
        """Takes rows.

        Args:
            steps: int64 `[n]`, the steps of the rows, counted from the last row at hand (so the
                row after it is 1); for the first rows, from the first of them.
            time: int64 `[n]`.
            values: float32 `[n, columns]`.
        """
        if len(self):
            # The last row again, so that a hole after it is laid out too.
            steps = np.concatenate([[0], steps])
            time = np.concatenate([self.time[-1:], time])
            values = np.concatenate([self._grid[-1:], values])
        grid, times = dense(self._recipe.step, steps, time, values)
        self._grid = np.concatenate([self._grid[:-1], grid])
        self.time = np.concatenate([self.time[:-1], times])

    def last_target(self) -> int | None:
        """The last row with a value of a target."""
        rows = np.flatnonzero(self._targets())
        return int(rows[-1]) if len(rows) else None

    def settle(self, *, final: bool) -> Rows:
        """The origins, one each `stride` steps, that are settled now and were not before.

        An origin is settled once its window cannot change any more. In each segment origins go up
        to the last step with a value of a target.

        Args:
            final: Whether no more rows follow.

        Returns:
            int64 `[windows]`, ascending.
        """
        spec, longest, futures = self._recipe.spec, self._recipe.data.gaps.max, self._recipe.futures
        end = len(self) - 1
        if not final and futures.any():
            end -= spec.reach + longest + 1
        targets = np.flatnonzero(self._targets()[: end + 1])
        settled, found = max(end, self._settled), [np.empty(0, np.int64)]
        for segment in self._segments():
            last = min(segment.stop - 1, end)
            at = int(np.searchsorted(targets, last, side="right")) - 1
            last = int(targets[at]) if at >= 0 else -1
            if not final and segment.start <= end < segment.stop:
                settled = max(last, self._settled)
            if futures.any():
                last = min(last, segment.known - 1 - spec.reach)
            self.longest = max(self.longest, last + 1 - segment.start)
            first = segment.start + spec.lookback - 1
            skipped = max(0, -(-(self._settled + 1 - first) // spec.stride))
            found.append(
                np.arange(first + skipped * spec.stride, last + 1, spec.stride, dtype=np.int64)
            )
        self._settled = settled
        return np.concatenate(found)

    def drop(self, origin: int | None = None) -> None:
        """Drops the rows that no window needs whose origin is at the row `origin` or after it.

        By default, the first origin that is not settled.
        """
        at = self._settled + 1 if origin is None else origin
        first = at - (self._recipe.spec.lookback - 1)
        away = first - (self._recipe.data.gaps.max + 1)
        if away <= 0:
            return
        # A hole at the end may be short: the segment that it is in has not ended yet.
        here = self._segments(more=True)
        start = next((s.start for s in here if s.start < first <= s.stop), None)
        self._grid, self.time = self._grid[away:].copy(), self.time[away:].copy()
        self._first = first - away
        self._start = None if start is None else start - away
        self._settled -= away
        self._dropped = True

    def extend(self, steps: int) -> None:
        """Adds steps that nothing is known of."""
        end = int(self.time[-1])
        ahead = self._recipe.step.grid(end, self._recipe.step.shift(end, steps))[1:]
        empty = np.full((steps, self._grid.shape[1]), np.nan, np.float32)
        self._grid = np.concatenate([self._grid, empty])
        self.time = np.concatenate([self.time, ahead])

    def refusal(self, origin: int) -> Refusal | None:
        """Why there is no window at the row `origin`; None if there is one."""
        before = None if self._dropped else self._before
        known = Known(
            self._recipe, self._series, self._observed(), self.time, before, self._segments()
        )
        return known.refusal(origin)

    def piece(self, origins: Rows) -> Piece:
        """The windows at the rows `origins`."""
        return cut(self._recipe, self._series, self._grid, self.time, origins)

    def _segments(self, *, more: bool = False) -> list[Segment]:
        return segments(
            self._observed(),
            self._recipe.futures,
            self._recipe.data.gaps.max,
            first=self._first,
            start=self._start,
            more=more,
        )

    def _observed(self) -> Mask:
        return ~np.isnan(self._grid)

    def _targets(self) -> Mask:
        some: Mask = np.logical_or.reduce(
            self._observed()[:, : len(self._recipe.roles.targets)], axis=1
        )
        return some
