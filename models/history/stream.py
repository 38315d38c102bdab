"""Raw rows as single steps for a model that carries its state from step to step.

A hole cannot be interpolated in a stream: what comes after it is not known yet. Past columns are
filled with the last value (or the train mean, with `fill: mean`) and `observed` 0, up to
`gaps.max` steps. Future covariates are known ahead, and filled as training fills them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BadInputError
from models.history.recipe import WindowRecipe
from models.history.refusal import stamp
from models.network.inputs import TIME
from models.roles import OBSERVED
from models.windows.holes import fill

Floats = npt.NDArray[np.float32]
NEVER = np.iinfo(np.int64).min
"""The time of the last step, before the first one."""


@dataclass(frozen=True)
class Trace:
    """What is remembered of one series between its steps.

    Attributes:
        time: Unix seconds of the last step; `NEVER` before the first one.
        last: float32 `[columns]`, the last observed values, in the order of `roles.dynamic`.
        missing: int64 `[columns]`, steps since they were observed.
        ahead: float32 `[futures, gap + horizon]`, what is known of future covariates after the
            last step; nan where nothing is.
    """

    time: int
    last: Floats
    missing: npt.NDArray[np.int64]
    ahead: Floats

    @classmethod
    def new(cls, recipe: WindowRecipe) -> Trace:
        """Before the first step."""
        width = len(recipe.roles.dynamic)
        return cls(
            NEVER,
            np.full(width, np.nan, np.float32),
            np.zeros(width, np.int64),
            np.full((int(recipe.futures.sum()), recipe.spec.reach), np.nan, np.float32),
        )


@dataclass(frozen=True)
class Step:
    """One step of one series as the model wants it: by column, a number or, of a future covariate,
    float32 `[1 + gap + horizon]`; static covariates are left out. `after` is the trace after it.
    """

    time: int
    inputs: dict[str, Any]
    after: Trace


def steps_of(
    recipe: WindowRecipe,
    series: str,
    trace: Trace,
    time: npt.NDArray[np.int64],
    values: Floats,
) -> list[Step]:
    """The next steps of a series.

    Args:
        recipe: The model's.
        series: The series' id, for messages.
        trace: What came before.
        time: int64 `[rows]`, Unix seconds UTC, ascending; missing steps may be left out.
        values: float32 `[rows, columns]`, nan where missing. The last row with a target is the
            last step (the first row, if none has one); what follows are values of future
            covariates.

    Returns:
        The steps up to that row, missing ones included, in order.

    Raises:
        BadInputError: If a time is off the grid, there twice or not after the last step, a column
            is missing for more than `gaps.max` steps or at the very first one, or a future
            covariate is not known to the end of the horizon.
    """
    index = _index(recipe, series, trace, time)
    targets = ~np.isnan(values[:, : len(recipe.roles.targets)]).all(axis=1)
    row = int(np.flatnonzero(targets)[-1]) if targets.any() else 0
    count = int(index[row]) + 1
    # A stretch without rows is refused before room is made for it.
    first = 0 if trace.time == NEVER else 1
    holes = np.diff(index[: row + 1], prepend=first - 1) - 1
    if (holes > recipe.data.gaps.max).any():
        at = int(np.argmax(holes > recipe.data.gaps.max))
        raise _too_long(recipe, series, "there are no rows", int(holes[at]), int(time[at]))
    # As far as the last step looks ahead, and to the end of a hole that begins there.
    reach = recipe.spec.reach
    grid = np.full((count + reach + recipe.data.gaps.max, values.shape[1]), np.nan, np.float32)
    if first:
        grid[1 : 1 + reach, recipe.futures] = trace.ahead.T
    near = index < len(grid)
    known = ~np.isnan(values[near])
    grid[index[near]] = np.where(known, values[near], grid[index[near]])
    begin = int(time[0]) if trace.time == NEVER else trace.time
    times = recipe.step.grid(begin, recipe.step.shift(begin, len(grid) - 1))
    made = []
    for number in range(first, count):
        step = _step(recipe, series, trace, times[number:], grid[number:])
        made.append(step)
        trace = step.after
    return made


def _step(
    recipe: WindowRecipe, series: str, trace: Trace, times: npt.NDArray[np.int64], rows: Floats
) -> Step:
    """The step at `times[0]`; `rows` are its own and later ones, of which only futures are used."""
    roles, data = recipe.roles, recipe.data
    now, seen = rows[0], ~np.isnan(rows[0])
    if trace.time == NEVER and not seen.all():
        name = roles.dynamic[int(np.argmin(seen))]
        raise BadInputError(
            f"{_called(series)}: {name!r} has no value at {stamp(int(times[0]))}, the first step; "
            "begin with a step at which every column has a value"
        )
    missing = np.where(seen, 0, trace.missing + 1)
    long = np.flatnonzero((missing > data.gaps.max) & ~recipe.futures)
    if len(long):
        column = int(long[0])
        what = f"{roles.dynamic[column]!r} has no value"
        raise _too_long(recipe, series, what, int(missing[column]), int(times[0]))
    last = np.where(seen, now, trace.last).astype(np.float32)
    means = recipe.means(series)
    filled = last
    if data.gaps.fill == "mean":
        filled = np.where(seen | ~np.isfinite(means), last, means).astype(np.float32)
    inputs: dict[str, Any] = {}
    for column, name in enumerate(roles.dynamic):
        if not recipe.futures[column]:
            inputs[name] = filled[column]
    if OBSERVED in roles.covariates.past:
        inputs[OBSERVED] = np.float32(seen[: len(roles.targets)].all())
    for column in np.flatnonzero(recipe.futures).tolist():
        before = int(trace.missing[column]) if trace.time != NEVER else 0
        inputs[roles.dynamic[column]] = _ahead(
            recipe, series, column, rows[:, column], trace.last[column], before, int(times[0])
        )
    if roles.covariates.calendar:
        inputs[TIME] = int(times[0])
    ahead = rows[1 : recipe.spec.reach + 1, recipe.futures]
    after = Trace(int(times[0]), last, missing, ahead.T.copy())
    return Step(int(times[0]), inputs, after)


def _ahead(
    recipe: WindowRecipe,
    series: str,
    column: int,
    known: Floats,
    last: np.float32,
    missing: int,
    now: int,
) -> Floats:
    """A future covariate from this step to the end of the horizon, filled as in training.

    Args:
        recipe: The model's.
        series: For messages.
        column: Which column of `roles.dynamic`.
        known: float32, its values from this step on, nan where missing; those after the horizon
            only tell where a hole ends that reaches over it.
        last: The last value before this step.
        missing: Steps before this one without a value.
        now: Unix seconds of this step.
    """
    step, count = recipe.step, recipe.spec.reach + 1
    if not np.isnan(known[:count]).any():
        return known[:count].copy()
    name, data = recipe.roles.dynamic[column], recipe.data
    # From the last value before this step on, so that every hole has its beginning.
    before = np.full(missing + 1, np.nan, np.float32) if np.isfinite(last) else known[:0]
    before[:1] = last
    start, end = len(before), len(before) + count
    column_ = np.concatenate([before, known])
    seen = np.flatnonzero(~np.isnan(column_))
    if not len(seen) or seen[-1] < end - 1:
        first = int(seen[-1]) + 1 - start if len(seen) else 0
        raise BadInputError(
            f"{_called(series)}: the future covariate {name!r} is not known at "
            f"{stamp(step.shift(now, max(first, 0)))}; the step {stamp(now)} needs it up to "
            f"{stamp(step.shift(now, recipe.spec.reach))}, {recipe.spec.reach} steps ahead"
        )
    seen = seen[: int(np.searchsorted(seen, end - 1)) + 1]
    holes = np.diff(seen) - 1
    if (holes > data.gaps.max).any():
        at = int(np.argmax(holes > data.gaps.max))
        what = f"the future covariate {name!r} has no value"
        time = step.shift(now, int(seen[at + 1]) - 1 - start)
        raise _too_long(recipe, series, what, int(holes[at]), time)
    inside = int(seen[seen < end][-1]) + 1
    values = column_[:end, None].copy()
    grid = step.grid(step.shift(now, -start), step.shift(now, count))
    mean = recipe.means(series)[column : column + 1]
    fill(
        values[:inside],
        ~np.isnan(values[:inside]),
        data.gaps.fill,
        np.searchsorted(grid, data.boundaries),
        mean,
    )
    held = mean[0] if data.gaps.fill == "mean" and np.isfinite(mean[0]) else values[inside - 1, 0]
    values[inside:] = held
    return values[start:, 0]


def _index(
    recipe: WindowRecipe, series: str, trace: Trace, time: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Steps of the rows: from 0 for a new series, else from 1, the one after the last."""
    begin = int(time[0]) if trace.time == NEVER else trace.time
    index = recipe.step.index_of(time, begin)
    wrong = (index < 0) & (time >= begin)
    if wrong.any():
        raise BadInputError(
            f"{_called(series)}: {stamp(int(time[int(np.argmax(wrong))]))} is not on the grid of "
            f"{recipe.step.alias!r} that holds {stamp(begin)}"
        )
    if trace.time != NEVER and index[0] < 1:
        raise BadInputError(
            f"{_called(series)}: {stamp(int(time[0]))} is not after the last step "
            f"{stamp(begin)}; the next one is {stamp(recipe.step.shift(begin, 1))}"
        )
    if (np.diff(index) <= 0).any():
        at = int(np.argmax(np.diff(index) <= 0)) + 1
        raise BadInputError(f"{_called(series)}: {stamp(int(time[at]))} is there twice")
    return index


def _too_long(recipe: WindowRecipe, series: str, what: str, steps: int, time: int) -> BadInputError:
    return BadInputError(
        f"{_called(series)}: {what} for {steps} steps up to {stamp(time)}, and at most "
        f"{recipe.data.gaps.max} missing steps are filled (gaps.max); begin a new session with "
        "the history after the hole"
    )


def _called(series: str) -> str:
    return f"series {series!r}" if series else "the series"
