"""`Piece`: consecutive filled steps of one series, with forecast origins in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.history.recipe import WindowRecipe
from models.windows.holes import Mask, fill


@dataclass(frozen=True)
class Piece:
    """Steps of one series that hold the whole windows of some origins.

    Attributes:
        series: The series' id.
        values: float32 `[steps, columns]`, filled; what lies after an origin is only there for
            the future covariates.
        observed: bool `[steps, columns]`.
        time: int64 `[steps]`, Unix seconds UTC.
        origins: int64 `[windows]`, rows of the last input steps, ascending.
    """

    series: str
    values: npt.NDArray[np.float32]
    observed: Mask
    time: npt.NDArray[np.int64]
    origins: npt.NDArray[np.int64]


def cut(
    recipe: WindowRecipe,
    series: str,
    grid: npt.NDArray[np.float32],
    time: npt.NDArray[np.int64],
    origins: npt.NDArray[np.int64],
) -> Piece:
    """The piece of `grid` that the windows at `origins` need, filled as in training.

    Args:
        recipe: The model's.
        series: The series' id.
        grid: float32 `[n, columns]`, consecutive steps, nan where missing.
        time: int64 `[n]`.
        origins: Rows of `grid`, ascending, each inside a segment and far enough from its start.
    """
    spec, longest = recipe.spec, recipe.data.gaps.max
    # Before the first input lies what fills a hole that the inputs begin in.
    low = max(0, int(origins[0]) - spec.lookback - longest)
    high = int(origins[-1]) + spec.reach + 1
    values, times = grid[low:high].copy(), time[low:high]
    if high > len(grid):
        # Steps that nothing is known of: a window's labels.
        empty = np.full((high - len(grid), grid.shape[1]), np.nan, np.float32)
        values = np.concatenate([values, empty])
        end = int(times[-1])
        ahead = recipe.step.grid(end, recipe.step.shift(end, len(empty)))[1:]
        times = np.concatenate([times, ahead])
    observed = ~np.isnan(values)
    _fill(values, observed, times, recipe, series)
    return Piece(series, values, observed, times, origins - low)


def _fill(
    values: npt.NDArray[np.float32],
    observed: Mask,
    time: npt.NDArray[np.int64],
    recipe: WindowRecipe,
    series: str,
) -> None:
    """Fills in place: holes between observed values as training does, the end without a look ahead.

    The steps before a column's first value are read by no window; they get that value.
    """
    kind, means = recipe.data.gaps.fill, recipe.means(series)
    borders = np.searchsorted(time, recipe.data.boundaries)
    for column in range(values.shape[1]):
        seen = np.flatnonzero(observed[:, column])
        if len(seen) == len(values):
            continue
        if not len(seen):
            values[:, column] = 0.0
            continue
        first, last = int(seen[0]), int(seen[-1])
        x = values[:, column]
        x[:first] = x[first]
        part = slice(first, last + 1)
        one = slice(column, column + 1)
        fill(values[part, one], observed[part, one], kind, borders - first, means[one])
        mean = means[column]
        x[last + 1 :] = mean if kind == "mean" and np.isfinite(mean) else x[last]
