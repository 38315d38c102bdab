"""`SeriesHistory`: takes the rows of one series in order and gives the windows that are in them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.history.piece import Piece
from models.history.recipe import WindowRecipe
from models.history.refusal import Refusal, stamp
from models.history.run import Run

Origins = Literal["last", "all"] | int
"""Which origins are wanted: the last step with a target; every one, `stride` steps apart, counted
from the start of each segment as in training; or the one at a time in Unix seconds UTC."""

BLOCK = 1 << 16
"""Rows that are kept before those no longer needed are dropped."""


class SeriesHistory:
    """The windows of one series, of which only what is still needed is kept in memory.

    Windows are those of training (`models.windows`), for origins without labels: past columns are
    used up to the origin only, future covariates up to `gap + horizon` steps after it. At the
    origin a column may be missing for at most `gaps.max` steps; it is filled as training fills a
    hole that the inputs end in.

    Args:
        recipe: The model's.
        series: The series' id.
        origins: The origins that are wanted.
        block: Rows to keep before some are dropped.
    """

    def __init__(
        self, recipe: WindowRecipe, series: str, origins: Origins, *, block: int = BLOCK
    ) -> None:
        self.series = series
        self._recipe, self._wanted = recipe, origins
        self._block = block + recipe.spec.span + recipe.data.gaps.max
        self._begin: int | None = None  # the time of step 0
        self._end = -1  # the step of the last row
        self._run: Run | None = None
        self._kept: Run | None = None  # an earlier one, with what may be the last origin
        self._longest, self._windows = 0, 0

    def add(self, time: npt.NDArray[np.int64], values: npt.NDArray[np.float32]) -> list[Piece]:
        """Takes the next rows and gives the windows that are complete.

        Args:
            time: int64 `[n]`, Unix seconds UTC, ascending, after those before.
            values: float32 `[n, columns]` in the order of `roles.dynamic`, nan where missing.

        Raises:
            BadInputError: If a time is there twice, not ascending, or off the grid.
        """
        if not len(time):
            return []
        index, longest = self._index(time), self._recipe.data.gaps.max
        found: list[Piece] = []
        cuts = np.flatnonzero(np.diff(index) - 1 > longest) + 1
        for low, high in zip([0, *cuts], [*cuts, len(index)], strict=True):
            hole = int(index[low]) - self._end - 1
            if self._run is None or hole > longest:
                found += self._close()
                self._run = Run(self._recipe, self.series, hole)
                self._end = int(index[low])
            self._run.add(index[low:high] - self._end, time[low:high], values[low:high])
            self._end = int(index[high - 1])
            if len(self._run) > self._block:
                found += self._shorten(self._run)
        return found

    def finish(self) -> list[Piece] | Refusal:
        """Ends the series: the windows that are left, or why it has none of those wanted."""
        found = self._close()
        if self._wanted == "all":
            return found if self._windows else self._no_origin()
        run = self._kept
        if run is None:
            return self._nothing()
        row = run.last_target() if self._wanted == "last" else self._row(run, int(self._wanted))
        if isinstance(row, Refusal):
            return row
        assert row is not None, "kept for its target"
        return run.refusal(row) or [run.piece(np.array([row], np.int64))]

    def _close(self) -> list[Piece]:
        """Ends the run, and keeps it if the origin that is wanted may be in it."""
        run, self._run = self._run, None
        if run is None:
            return []
        if self._wanted == "all":
            return self._settled(run, final=True)
        if self._wanted == "last":
            wanted = run.last_target() is not None
        else:
            wanted = int(run.time[0]) <= self._wanted
        if wanted:
            self._kept = run
        return []

    def _shorten(self, run: Run) -> list[Piece]:
        if self._wanted == "all":
            found = self._settled(run, final=False)
            run.drop()
            return found
        if self._wanted == "last":
            row = run.last_target()
        else:
            before = int(np.searchsorted(run.time, self._wanted))
            row = before if before < len(run) else None
        run.drop(len(run) if row is None else row)
        return []

    def _settled(self, run: Run, *, final: bool) -> list[Piece]:
        origins = run.settle(final=final)
        self._longest = max(self._longest, run.longest)
        self._windows += len(origins)
        return [run.piece(origins)] if len(origins) else []

    def _row(self, run: Run, origin: int) -> int | Refusal:
        """The row of the origin at a time; steps that may be filled are added for it."""
        steps = int(self._recipe.step.index_of([origin], int(run.time[0]))[0])
        if steps < 0:
            return Refusal(
                self.series,
                "empty",
                f"the origin {stamp(origin)} is not on its grid of {self._recipe.step.alias!r}, "
                f"which holds {stamp(int(run.time[0]))}",
            )
        longest = self._recipe.data.gaps.max
        after = steps - (len(run) - 1)
        if after > longest:
            return Refusal(
                self.series,
                "hole",
                f"there are no rows for {after} steps up to {stamp(origin)}, after "
                f"{stamp(int(run.time[-1]))}, and at most {longest} missing steps are filled "
                "(gaps.max)",
            )
        if after > 0:
            run.extend(after)
        return steps

    def _index(self, time: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if self._begin is None:
            self._begin = int(time[0])
        step = self._recipe.step
        index = step.index_of(time, self._begin)
        if (index < 0).any() and (time >= self._begin).all():
            wrong = int(time[int(np.argmax(index < 0))])
            which = "" if wrong == self._begin else f" that begins at {stamp(self._begin)}"
            raise BadInputError(
                f"series {self.series!r}: {stamp(wrong)} is not on the grid of {step.alias!r}"
                f"{which}: correct the times, or resample the data to the model's step"
            )
        steps = np.diff(index, prepend=self._end)
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0))
            twice = steps[at] == 0
            raise BadInputError(
                f"series {self.series!r}: the time {stamp(int(time[at]))} "
                + ("is there twice: keep one of the rows" if twice else "comes after a later one")
            )
        return index

    def _nothing(self) -> Refusal:
        if self._wanted == "last":
            return Refusal(self.series, "empty", "no row has a value of a target")
        return Refusal(
            self.series, "empty", f"there are no rows up to the origin {stamp(int(self._wanted))}"
        )

    def _no_origin(self) -> Refusal:
        lookback, longest = self._recipe.spec.lookback, self._longest
        return Refusal(
            self.series,
            "short",
            f"{longest} usable step{'' if longest == 1 else 's'} in a row at most, and {lookback} "
            "are needed (window.lookback)",
        )
