"""Forecast origins of a stretch of steps, for a range of steps that may be labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.windows.spec import WindowSpec


def origins(
    spec: WindowSpec, steps: int, first: int = 0, end: int | None = None
) -> npt.NDArray[np.int64]:
    """Forecast origins in `steps` consecutive steps whose labels all lie in `[first, end)`.

    Origins are counted from the start of the steps, not from `first`: neighbouring ranges share
    one grid of origins, and the inputs of one range may reach back into the other.

    Args:
        spec: The window definition.
        steps: Consecutive steps there are.
        first: First step that may be a label.
        end: The step after the last that may be a label; None for `steps`.

    Returns:
        int64, ascending.
    """
    end = steps if end is None else min(end, steps)
    lowest = max(spec.lookback - 1, first - 1 - spec.gap)
    skipped = -(-(lowest - (spec.lookback - 1)) // spec.stride)
    start = spec.lookback - 1 + skipped * spec.stride
    return np.arange(start, end - spec.reach, spec.stride, dtype=np.int64)
