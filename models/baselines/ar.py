"""AR: autoregression by least squares, lag order by AIC."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.baselines.least_squares import TriangularFactor, lag_blocks
from models.baselines.protocol import Predictions, finite
from models.baselines.train_rows import series_moments, train_stretches
from models.windows.store import SeriesStore
from models.windows.view import WindowView

Array = npt.NDArray[np.float64]
CHUNK = 1 << 21


@dataclass(frozen=True)
class FittedAr:
    """One autoregression `x_t = intercept + sum_i coefficients[i] x_(t-1-i) + noise`.

    Attributes:
        intercept: In the units of the fit.
        coefficients: float64 `[order]`, of lag 1 first.
        aic: float64 `[orders]`: criterion of each order, 0 first.
        rows: Rows of the final fit.
        sigma2: Mean square of its residuals.
    """

    intercept: float
    coefficients: Array
    aic: Array
    rows: int
    sigma2: float

    def weights(self, steps: int) -> tuple[Array, Array]:
        """The iterated forecast 1 to `steps` steps ahead, which is linear in the last values.

        Returns:
            float64 `[order, steps]` (row 0 for the last value) and float64 `[steps]`.
        """
        order = len(self.coefficients)
        state, shift = np.eye(order), np.zeros(order)
        weights, constant = np.zeros((order, steps)), np.zeros(steps)
        with np.errstate(over="ignore", invalid="ignore"):
            for step in range(steps):
                row = self.coefficients @ state
                offset = self.intercept + float(self.coefficients @ shift)
                weights[:, step], constant[step] = row, offset
                if order:
                    state = np.concatenate([row[None], state[:-1]])
                    shift = np.concatenate([[offset], shift[:-1]])
        return weights, constant


class Ar:
    """One autoregression per target with a constant, fitted to the train rows of all series.

    The lag order minimises Akaike's criterion over 0 to `max_lags` on one estimation sample (the
    rows that the longest order can use), then the chosen order is fitted to all rows it can use:
    what statsmodels does in `ar_select_order` and `AutoReg`. Forecasts are iterated.

    With several series, each is centred and divided by the mean and standard deviation of its own
    train rows before all are pooled, so that none dominates by its units; for a single series
    this changes nothing. A series without train rows is scaled by the inputs of each window.
    Filled values are regressors but never responses.

    Args:
        max_lags: Longest order tried; never more than the lookback. None: the lookback.
    """

    name = "ar"

    def __init__(self, max_lags: int | None = None) -> None:
        self.max_lags = max_lags
        self.fitted: dict[str, FittedAr] = {}
        self._mean: Array = np.zeros((0, 0))
        self._std: Array = np.zeros((0, 0))

    def fit(self, train: WindowView, validation: WindowView | None) -> None:  # noqa: ARG002
        """Fits one autoregression per target to the train rows of `train.store`."""
        store = train.store
        self._mean, self._std = series_moments(store)
        limit = min(self.max_lags or store.spec.lookback, store.spec.lookback)
        self.fitted = {
            name: self._fit_target(store, column, limit)
            for column, name in enumerate(store.roles.targets)
        }

    def predict(self, view: WindowView) -> Predictions:
        """Iterated forecasts, float32 `[windows, horizon, targets]`."""
        store, spec = view.store, view.store.spec
        targets = store.roles.targets
        result = np.empty((len(view), spec.horizon, len(targets)), np.float32)
        weights = [self.fitted[name].weights(spec.reach) for name in targets]
        size = max(1, CHUNK // (spec.lookback * len(targets) + spec.horizon))
        for start in range(0, len(view), size):
            part = WindowView(store, view.origins[start : start + size])
            inputs = part.targets()
            series = store.series_of(part.origins)
            for column, (lags, constant) in enumerate(weights):
                past = np.asarray(inputs[:, ::-1, column], np.float64)
                mean, std = self._moments_of(past, series, column)
                scaled = (past[:, : len(lags)] - mean[:, None]) / std[:, None]
                with np.errstate(over="ignore", invalid="ignore"):
                    ahead = scaled @ lags[:, spec.gap :] + constant[spec.gap :]
                    ahead = ahead * std[:, None] + mean[:, None]
                result[start : start + size, :, column] = finite(ahead)
        return result

    @property
    def moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation that scale each series and target: two float64
        `[series, columns]`, nan for a series without train rows.
        """
        return self._mean, self._std

    def describe(self) -> dict[str, Any]:
        """By target: `order`, `intercept` and `coefficients` (lag 1 first), `rows`, `aic`,
        `residual_std`; `pooled_series` is above 1 when units are those of the scaled series.
        """
        single = len(self._mean) == 1
        facts: dict[str, Any] = {"pooled_series": len(self._mean)}
        for column, (name, fit) in enumerate(self.fitted.items()):
            mean = float(self._mean[0, column]) if single else 0.0
            std = float(self._std[0, column]) if single else 1.0
            facts[name] = {
                "order": len(fit.coefficients),
                "intercept": fit.intercept * std + mean * (1 - float(fit.coefficients.sum())),
                "coefficients": [float(c) for c in fit.coefficients],
                "rows": fit.rows,
                "aic": float(fit.aic[len(fit.coefficients)]),
                "residual_std": math.sqrt(fit.sigma2) * std,
            }
        return facts

    def _fit_target(self, store: SeriesStore, column: int, limit: int) -> FittedAr:
        stretches = self._stretches(store, column)
        # Two rows per parameter at the least, or the longest orders fit anything.
        while limit > 0 and _responses(stretches, limit) < 2 * (limit + 2):
            limit -= 1
        sample = _factor(stretches, limit)
        squares = sample.residuals()[1 : limit + 2]
        # A perfect fit has no likelihood; below rounding error more lags cannot be told apart.
        limits = np.finfo(np.float64)
        floor = max(float(squares[0]) * limits.eps, limits.tiny)
        rows = max(sample.rows, 1)
        aic = np.asarray(
            rows * np.log(np.maximum(squares, floor) / rows) + 2 * (np.arange(limit + 1) + 2),
            np.float64,
        )
        order = int(np.argmin(aic))
        final = _factor(stretches, order)
        solution = final.solve(order + 1)
        return FittedAr(
            intercept=float(solution[0]),
            coefficients=solution[1:],
            aic=aic,
            rows=final.rows,
            sigma2=float(final.residuals()[order + 1]) / max(final.rows, 1),
        )

    def _stretches(
        self, store: SeriesStore, column: int
    ) -> list[tuple[Array, npt.NDArray[np.bool_]]]:
        stretches = []
        for series, first, stop in train_stretches(store):
            if np.isnan(self._mean[series, column]):
                continue
            raw = np.asarray(store.values[first:stop, column], np.float64)
            scaled = (raw - self._mean[series, column]) / self._std[series, column]
            stretches.append((scaled, np.asarray(store.observed[first:stop, column])))
        return stretches

    def _moments_of(
        self, past: Array, series: npt.NDArray[np.int64], column: int
    ) -> tuple[Array, Array]:
        mean, std = self._mean[series, column], self._std[series, column]
        unknown = np.isnan(mean)
        if unknown.any():
            mean[unknown], spread = past[unknown].mean(axis=1), past[unknown].std(axis=1)
            std[unknown] = np.where(spread > 0, spread, 1.0)
        return mean, std


def _responses(stretches: list[tuple[Array, npt.NDArray[np.bool_]]], lags: int) -> int:
    return sum(int(np.count_nonzero(seen[lags:])) for _, seen in stretches)


def _factor(stretches: list[tuple[Array, npt.NDArray[np.bool_]]], lags: int) -> TriangularFactor:
    factor = TriangularFactor(lags + 2)
    for values, seen in stretches:
        for block in lag_blocks(values, seen, lags):
            factor.add(block)
    return factor
