"""Rows of a series laid on consecutive steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.frequency import Frequency


def dense(
    frequency: Frequency,
    index: npt.NDArray[np.int64],
    time: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Rows laid on consecutive steps, nan where there is no row, and the times of all steps.

    Args:
        frequency: The step.
        index: int64 `[rows]`, the step of each row, ascending; the first is 0.
        time: int64 `[rows]`, Unix seconds UTC of each row.
        values: float32 `[rows, columns]`.

    Returns:
        float32 `[steps, columns]` and int64 `[steps]`; the arguments themselves if no step lacks
        its row.
    """
    steps = int(index[-1]) + 1
    if steps == len(index):
        return values, time
    grid = np.full((steps, values.shape[1]), np.nan, np.float32)
    grid[index] = values
    return grid, frequency.grid(int(time[0]), int(time[-1]))
