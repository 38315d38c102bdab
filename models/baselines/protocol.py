"""`Baseline`: what every baseline can do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.windows.view import WindowView

Predictions = npt.NDArray[np.float32]


class Baseline(Protocol):
    """A forecaster that needs no tuning and that a network has to beat."""

    name: str

    def fit(self, train: WindowView, validation: WindowView | None) -> None:
        """Fits to the train rows; nothing at or after the validation boundary is looked at.

        Args:
            train: Windows whose labels all lie before the validation boundary. Baselines that
                work on whole series take the train rows of `train.store`.
            validation: Windows that may decide when to stop, never what to fit.
        """

    def predict(self, view: WindowView) -> Predictions:
        """Forecasts of every window, from values at or before its origin.

        Returns:
            float32 `[windows, horizon, targets]`, natural units, always finite.
        """

    def describe(self) -> dict[str, Any]:
        """Facts of the fit as JSON values."""


def finite(values: npt.NDArray[np.floating[Any]]) -> Predictions:
    """As float32, with values beyond its range moved to its ends: an explosive model loses, but
    neither it nor the mean of its errors turns into nan.
    """
    limit = float(np.finfo(np.float32).max)
    bounded = np.nan_to_num(np.asarray(values, np.float64), nan=limit, posinf=limit, neginf=-limit)
    return np.clip(bounded, -limit, limit).astype(np.float32)
