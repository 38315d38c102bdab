"""What is known at a forecast origin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.windows.hold import last_observed
from models.windows.store import SeriesStore


def known_rows(store: SeriesStore, origins: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The latest row at or before each origin whose value owes nothing to the future.

    A hole filled by linear interpolation was filled with the value after it: at an origin inside
    it, the last known row is the one before the hole, as in the inputs of a window.

    Args:
        store: The series.
        origins: int64 `[n]`, rows.

    Returns:
        int64 `[n, targets]`, rows.
    """
    width = len(store.roles.targets)
    rows = np.asarray(origins, np.int64)
    if store.fill != "linear":
        return np.repeat(rows[:, None], width, axis=1)
    first = store.first_of(rows)
    return np.stack([last_observed(store.observed, first, rows, k) for k in range(width)], axis=1)
