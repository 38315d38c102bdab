"""Naive: tomorrow is like today."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.baselines.known import known_rows
from models.baselines.protocol import Predictions
from models.windows.view import WindowView


class Naive:
    """Repeats the last value of each target over the whole horizon."""

    name = "naive"

    def fit(self, train: WindowView, validation: WindowView | None) -> None:
        """There is nothing to fit."""

    def predict(self, view: WindowView) -> Predictions:
        """Forecasts, float32 `[windows, horizon, targets]`."""
        store = view.store
        rows = known_rows(store, view.origins)
        last = store.values[rows, np.arange(rows.shape[1])]
        return np.repeat(last[:, None, :], store.spec.horizon, axis=1)

    def describe(self) -> dict[str, Any]:
        """Nothing is fitted."""
        return {}
