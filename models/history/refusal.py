"""`Refusal`: why a series cannot be forecast from an origin, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.history.recipe import WindowRecipe
from models.history.segments import Segment, too_old, unknown
from models.windows.holes import Mask, runs

Kind = Literal["empty", "short", "hole", "future"]


@dataclass(frozen=True)
class Refusal:
    """A series that cannot be forecast.

    Attributes:
        series: Its id.
        kind: `empty`: no value of a target, or no row at the origin; `short`: less history than
            the lookback; `hole`: a longer one than is filled; `future`: a future covariate is not
            known up to the end of the horizon.
        reason: What there is and what is needed.
    """

    series: str
    kind: Kind
    reason: str


@dataclass(frozen=True)
class Known:
    """What is known of a series around an origin: consecutive steps.

    Attributes:
        recipe: The model's.
        series: The series' id.
        observed: bool `[n, columns]`.
        time: int64 `[n]`.
        before: Steps without rows before the first one: 0 if the series begins there. None if
            there are rows before it that are not at hand.
        found: The segments in these rows; starts may be negative.
    """

    recipe: WindowRecipe
    series: str
    observed: Mask
    time: npt.NDArray[np.int64]
    before: int | None
    found: list[Segment]

    def refusal(self, origin: int) -> Refusal | None:
        """Why there is no window at row `origin`; None if there is one."""
        inside = next((s for s in self.found if s.start <= origin < s.stop), None)
        if inside is None:
            return self._outside(origin)
        if self.recipe.futures.any() and origin + self.recipe.spec.reach >= inside.known:
            return self._future(origin, inside.known)
        if origin - inside.start + 1 < self.recipe.spec.lookback:
            return self._short(origin, inside.start)
        return None

    def _outside(self, origin: int) -> Refusal:
        """The origin is in a hole, or before the first step at which every column has a value."""
        longest, futures = self.recipe.data.gaps.max, self.recipe.futures
        ahead = unknown(self.observed[:, futures], longest)
        if ahead[origin]:
            return self._future(origin, origin)
        stale = too_old(self.observed[: origin + 1], longest)[-1] & ~futures
        for column in np.flatnonzero(stale):
            seen = np.flatnonzero(self.observed[: origin + 1, column])
            if len(seen):
                return self._refuse("hole", self._hole(int(column), int(seen[-1]) + 1, origin + 1))
        return self._short(origin, origin + 1)

    def _short(self, origin: int, start: int) -> Refusal:
        """The segment of the origin begins at `start` (after the origin, if there is none)."""
        steps, lookback = origin - start + 1, self.recipe.spec.lookback
        need = (
            f"{steps} usable step{'' if steps == 1 else 's'} of history up to "
            f"{self._at(origin)}, and {lookback} are needed (window.lookback)"
        )
        names, longest = self.recipe.roles.dynamic, self.recipe.data.gaps.max
        missing = [
            (int(stop), int(begin), column)
            for column in range(len(names))
            for begin, stop in runs(~self.observed[:start, column])
        ]
        whole = self.before is not None
        long = [
            (stop, begin, column)
            for stop, begin, column in missing
            if stop - begin > longest and (begin > 0 or not whole)
        ]
        if long:
            stop, begin, column = max(long)
            return self._refuse("hole", f"{need}: {self._hole(column, begin, stop)}")
        if self.before:
            return self._refuse(
                "hole",
                f"{need}: there are no rows for {self.before} steps before {self._at(0)}, and at "
                f"most {longest} missing steps are filled (gaps.max)",
            )
        late = [names[column] for _, begin, column in missing if begin == 0]
        if late:
            until = self._at(origin if steps == 0 else start - 1)
            need += f"; {late[0]!r} has no value up to {until}"
        elif start > 0:
            need += ", counted from the first step at which every column has a value"
        return self._refuse("short", need)

    def _hole(self, column: int, start: int, stop: int) -> str:
        steps = stop - start
        least = "at least " if start == 0 and self.before is None else ""
        return (
            f"{self.recipe.roles.dynamic[column]!r} is missing for {least}{steps} "
            f"step{'' if steps == 1 else 's'}, {self._at(start)} to {self._at(stop - 1)}, and at "
            f"most {self.recipe.data.gaps.max} missing steps are filled (gaps.max)"
        )

    def _future(self, origin: int, known: int) -> Refusal:
        """Some future covariate is not known at the row `known`."""
        step, spec, names = self.recipe.step, self.recipe.spec, self.recipe.roles.dynamic
        missing = self.recipe.futures.copy()
        if known < len(self.observed):
            missing &= ~self.observed[known]
        column = int(np.flatnonzero(missing)[0])
        time = int(self.time[origin])
        return self._refuse(
            "future",
            f"the future covariate {names[column]!r} is not known at "
            f"{stamp(step.shift(time, known - origin))}; a forecast from {stamp(time)} needs it up "
            f"to {stamp(step.shift(time, spec.reach))}, {spec.reach} steps ahead: add rows with "
            "its values after the last target",
        )

    def _at(self, row: int) -> str:
        return stamp(int(self.time[row]))

    def _refuse(self, kind: Kind, reason: str) -> Refusal:
        return Refusal(self.series, kind, reason)


def stamp(time: int) -> str:
    """Unix seconds as people write them: a date, or date and time in UTC."""
    text = str(np.datetime64(time, "s"))
    return text.removesuffix("T00:00:00") if text.endswith("T00:00:00") else f"{text}Z"
