"""Seasonal naive: the value one season before."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.baselines.known import known_rows
from models.baselines.protocol import Predictions
from models.windows.spec import WindowSpec
from models.windows.view import WindowView

CHUNK = 1 << 20


class SeasonalNaive:
    """Forecasts each label by the latest value at or before the origin that lies a whole number
    of seasons before it.

    Values are taken from the segment of the window, which may reach back further than the
    lookback; filled steps count as they were filled, except those of a hole that is still open at
    the origin: there the last observed value stands (`known_rows`). Where the segment does not
    reach back far enough, the last value takes their place, and `describe` counts these forecasts.

    Args:
        season: Steps in a season, at least 1.
    """

    name = "seasonal_naive"

    def __init__(self, season: int) -> None:
        self.season = season
        self._forecasts = 0
        self._fallbacks = 0

    def fit(self, train: WindowView, validation: WindowView | None) -> None:  # noqa: ARG002
        """There is nothing to fit; the counts of `describe` start again."""
        self._forecasts = self._fallbacks = 0

    def predict(self, view: WindowView) -> Predictions:
        """Forecasts, float32 `[windows, horizon, targets]`."""
        store, spec, width = view.store, view.store.spec, len(view.store.roles.targets)
        back = self.steps_back(spec)
        result = np.empty((len(view), spec.horizon, width), np.float32)
        size = max(1, CHUNK // spec.horizon)
        for start in range(0, len(view), size):
            origins = view.origins[start : start + size]
            rows = origins[:, None] + back
            missing = rows < store.first_of(origins)[:, None]
            rows = np.where(missing, origins[:, None], rows)
            rows = np.minimum(rows[:, :, None], known_rows(store, origins)[:, None, :])
            result[start : start + size] = store.values[rows, np.arange(width)]
            self._fallbacks += int(missing.sum())
        self._forecasts += len(view) * spec.horizon
        return result

    def steps_back(self, spec: WindowSpec) -> npt.NDArray[np.int64]:
        """int64 `[horizon]`: where each label's value is read, in steps from the origin; at most
        0 (the origin itself) and above minus a season.
        """
        ahead = np.arange(1 + spec.gap, 1 + spec.reach)
        return np.asarray(ahead - -(-ahead // self.season) * self.season, np.int64)

    def describe(self) -> dict[str, Any]:
        """`season` in steps; steps forecast since the fit, and how many by the last value."""
        return {
            "season": self.season,
            "forecasts": self._forecasts,
            "last_value_for_want_of_history": self._fallbacks,
        }
