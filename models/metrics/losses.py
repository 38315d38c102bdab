"""The loss of each window: what paired tests compare and figures rank by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.metrics.pointwise import absolute_error, squared_error, symmetric_percentage_error
from models.metrics.scores import CHUNK
from models.metrics.yardstick import Yardstick
from models.windows.view import WindowView

Array = npt.NDArray[np.float64]


def window_losses(
    view: WindowView, predictions: npt.NDArray[np.float32], metric: str, yardstick: Yardstick
) -> Array:
    """Mean loss of each window over its observed labels.

    The term is that of the metric: absolute error for `mae`, squared for `mse` and `rmse`,
    `symmetric_percentage_error` for `smape`, absolute error over the seasonal denominator of the
    series for `mase`, and errors in train standard deviations for `mae_scaled`, `mse_scaled`.

    Args:
        view: The windows.
        predictions: `[windows, horizon, targets]`, natural units.
        metric: One of `models.metrics.scores.METRICS`.
        yardstick: Divisors of the scaled metrics.

    Returns:
        float64 `[windows]`; nan where no label counts (none observed, or MASE not defined).
    """
    horizon, targets = view.store.spec.horizon, len(view.store.roles.targets)
    size = max(1, CHUNK // (horizon * targets))
    losses = np.full(len(view), np.nan)
    for start in range(0, len(view), size):
        part = WindowView(view.store, view.origins[start : start + size])
        labels = part.labels()
        series = view.store.series_of(part.origins)
        with np.errstate(invalid="ignore", over="ignore"):
            terms = _terms(labels, predictions[start : start + size], series, metric, yardstick)
        counted = ~np.isnan(labels)
        if metric == "mase":
            counted &= yardstick.usable[series][:, None, :]
        number = counted.sum(axis=(1, 2))
        total = np.where(counted, terms, 0.0).sum(axis=(1, 2))
        losses[start : start + size] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return losses


def _terms(
    labels: npt.NDArray[np.float32],
    predictions: npt.NDArray[np.float32],
    series: npt.NDArray[np.int64],
    metric: str,
    yardstick: Yardstick,
) -> Array:
    if metric == "mae":
        return absolute_error(labels, predictions)
    if metric in ("mse", "rmse"):
        return squared_error(labels, predictions)
    if metric == "smape":
        return symmetric_percentage_error(labels, predictions)
    if metric == "mae_scaled":
        return absolute_error(labels, predictions) / yardstick.scale
    if metric == "mse_scaled":
        return squared_error(labels, predictions) / yardstick.scale**2
    if metric == "mase":
        divisor = np.where(yardstick.usable, yardstick.denominators, 1.0)[series]
        return absolute_error(labels, predictions) / divisor[:, None, :]
    raise ValueError(f"unknown metric {metric!r}")
