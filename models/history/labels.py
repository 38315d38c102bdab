"""The times that a forecast is for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.frequency import DAY, Frequency
from models.windows.spec import WindowSpec


def label_times(
    step: Frequency, spec: WindowSpec, origins: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Times of the labels of windows.

    Args:
        step: The frequency.
        spec: Lengths of the window.
        origins: int64 `[windows]`, Unix seconds UTC, each on a grid of `step`.

    Returns:
        int64 `[windows, horizon]`: `gap + 1` to `gap + horizon` steps after each origin.
    """
    ahead = np.arange(spec.gap + 1, spec.reach + 1)
    if step.step is not None:
        return origins[:, None] + step.step * ahead
    times = np.empty((len(origins), spec.horizon), np.int64)
    # A calendar grid keeps its time of day.
    clock = origins % DAY
    for of_day in np.unique(clock):
        rows = np.flatnonzero(clock == of_day)
        low, high = int(origins[rows].min()), int(origins[rows].max())
        grid = step.grid(low, step.shift(high, spec.reach))
        times[rows] = grid[np.searchsorted(grid, origins[rows])[:, None] + ahead]
    return times
