"""LDS: a linear dynamical system, fitted by expectation maximisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.baselines.protocol import Predictions, finite
from models.baselines.train_rows import series_moments, train_stretches
from models.errors import FailedRunError
from models.lds.em import AT_REST
from models.lds.forecast import Affine, at_any_time, window_forecast
from models.lds.moments import moments
from models.lds.pieces import Piece
from models.lds.select import Choice, fit_lds
from models.windows.store import SeriesStore
from models.windows.view import WindowView

Array = npt.NDArray[np.float64]
CHUNK = 1 << 21
MOST_ROWS = 1 << 15
"""Rows fitted to, the latest of each stretch: more take long and change little."""
HOLES = 0.01
"""Share of rows with a filled value above which the filter seldom comes to rest."""
MOST_ROWS_WITH_HOLES = 1 << 12
"""Rows fitted to then: each takes as long, and as much memory, as thousands otherwise."""
ITERATIONS_WITH_HOLES = 3
"""Most iterations then: the first bring most of the gain."""


class Lds:
    """One linear dynamical system for all targets, fitted to the train rows of all series.

    Hidden states follow `x' = A x + w` and show as `y = C x + d + v`. The system starts as
    oscillators of the frequencies found in the train rows, joined to states found by subspace
    identification; the number of states has the least BIC; expectation maximisation takes it from
    there (`models.lds.select`). The forecast of a window is that of a Kalman filter that starts
    knowing how states are distributed over the train rows, which is an affine map of the window.

    Every column is centred and divided by the mean and standard deviation of its own series' train
    rows. A series without train rows is scaled by the inputs of each window. In the fit filled
    values are missing observations; in the windows they count as they were filled, as the model
    under test sees them.

    Args:
        states: Number of states; None: by BIC.
        iterations: Most iterations of expectation maximisation; 0 keeps the first system. Where
            more than `HOLES` of the rows have a filled value, at most `ITERATIONS_WITH_HOLES`.
    """

    name = "lds"

    def __init__(self, states: int | None = None, iterations: int = 10) -> None:
        self.states = states
        self.iterations = iterations
        self.choice: Choice | None = None
        self._affine: Affine | None = None
        self._mean: Array = np.zeros((0, 0))
        self._std: Array = np.zeros((0, 0))

    def fit(self, train: WindowView, validation: WindowView | None) -> None:  # noqa: ARG002
        """Fits one system to the train rows of `train.store`.

        Raises:
            FailedRunError: If there is no train row.
        """
        store, spec = train.store, train.store.spec
        width = len(store.roles.targets)
        mean, std = series_moments(store)
        self._mean, self._std = mean[:, :width], std[:, :width]
        stretches = [
            stretch
            for stretch in train_stretches(store)
            if np.isfinite(mean[stretch[0], :width]).all()
        ]
        holed = _holed(store, stretches)
        pieces = self._pieces(store, stretches, MOST_ROWS_WITH_HOLES if holed else MOST_ROWS)
        if not pieces:
            raise FailedRunError(
                "the baseline lds has no train row to be fitted to: make the train split larger, "
                "or remove lds from baselines.names"
            )
        choice = fit_lds(
            pieces,
            states=self.states,
            iterations=min(self.iterations, ITERATIONS_WITH_HOLES) if holed else self.iterations,
            lookback=spec.lookback,
        )
        found = moments(choice.model, choice.pieces, AT_REST)
        self.choice = choice
        self._affine = window_forecast(
            at_any_time(choice.model, found), spec.lookback, spec.gap, spec.horizon
        )

    def affine(self) -> Affine:
        """The forecast as an affine map of the window, in natural units.

        Raises:
            FailedRunError: If it is not fitted yet, or to several series: each is scaled by
                moments of its own, and `scaled` is the map between the scaled values.
        """
        inner = self.scaled
        if len(self._mean) != 1:
            raise FailedRunError(
                f"the baseline lds was fitted to {len(self._mean)} series, each scaled by its own "
                "moments, which no window tells: there is no one map in natural units"
            )
        lookback = len(inner.weights) // self._mean.shape[1]
        horizon = len(inner.constant) // self._mean.shape[1]
        mean, std = self._mean[0], self._std[0]
        weights = inner.weights / np.tile(std, lookback)[:, None] * np.tile(std, horizon)
        constant = inner.constant * np.tile(std, horizon) + np.tile(mean, horizon)
        return Affine(weights, constant - np.tile(mean, lookback) @ weights)

    @property
    def scaled(self) -> Affine:
        """The same map between values scaled by each series' train mean and standard deviation.

        Raises:
            FailedRunError: If it is not fitted yet.
        """
        if self._affine is None:
            raise FailedRunError("the baseline lds has not been fitted: call fit first")
        return self._affine

    @property
    def moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation that scale each series and target: two float64
        `[series, targets]`, nan for a series without train rows.
        """
        return self._mean, self._std

    def predict(self, view: WindowView) -> Predictions:
        """Forecasts, float32 `[windows, horizon, targets]`.

        Raises:
            FailedRunError: If it is not fitted yet.
        """
        affine, store, spec = self.scaled, view.store, view.store.spec
        width = len(store.roles.targets)
        result = np.empty((len(view), spec.horizon, width), np.float32)
        size = max(1, CHUNK // ((spec.lookback + spec.horizon) * width))
        for start in range(0, len(view), size):
            part = WindowView(store, view.origins[start : start + size])
            past = np.asarray(part.targets(), np.float64)
            mean, std = self._moments_of(past, store.series_of(part.origins))
            scaled = (past - mean[:, None]) / std[:, None]
            with np.errstate(over="ignore", invalid="ignore"):
                flat = scaled.reshape(len(past), -1) @ affine.weights + affine.constant
                ahead = flat.reshape(len(past), spec.horizon, width) * std[:, None] + mean[:, None]
            result[start : start + size] = finite(ahead)
        return result

    def describe(self) -> dict[str, Any]:
        """`states`, `oscillators` of the start and their `persistence`, `iterations`, the first and
        last `log_likelihood` per row, `bic` by number of states, `rows`, `radius` (the largest
        modulus of an eigenvalue of A), `pooled_series`.
        """
        if self.choice is None:
            return {}
        choice = self.choice
        path = choice.log_likelihoods
        return {
            "states": choice.model.states,
            "oscillators": choice.oscillators,
            "persistence": choice.persistence,
            "iterations": len(path) - 1,
            "log_likelihood_per_row": [path[0] / choice.rows, path[-1] / choice.rows],
            "bic": {str(states): score for states, score in choice.bic.items()},
            "rows": choice.rows,
            "radius": choice.model.radius,
            "pooled_series": len(self._mean),
        }

    def _pieces(
        self, store: SeriesStore, stretches: list[tuple[int, int, int]], most: int
    ) -> list[Piece]:
        width = len(store.roles.targets)
        rows = sum(stop - first for _, first, stop in stretches)
        share = max(1, most // max(len(stretches), 1)) if rows > most else rows
        pieces = []
        for series, first, stop in stretches:
            taken = slice(max(first, stop - share), stop)
            raw = np.asarray(store.values[taken, :width], np.float64)
            scaled = (raw - self._mean[series]) / self._std[series]
            pieces.append(Piece(scaled, np.array(store.observed[taken, :width])))
        return pieces

    def _moments_of(self, past: Array, series: npt.NDArray[np.int64]) -> tuple[Array, Array]:
        mean, std = self._mean[series], self._std[series]
        unknown = np.isnan(mean)
        if unknown.any():
            spread = past.std(axis=1)
            mean = np.where(unknown, past.mean(axis=1), mean)
            std = np.where(unknown, np.where(spread > 0, spread, 1.0), std)
        return mean, std


def _holed(store: SeriesStore, stretches: list[tuple[int, int, int]]) -> bool:
    """Whether more than `HOLES` of the rows have a filled value."""
    width = len(store.roles.targets)
    rows = sum(stop - first for _, first, stop in stretches)
    holes = sum(
        int(np.count_nonzero(~store.observed[first:stop, :width].all(axis=1)))
        for _, first, stop in stretches
    )
    return holes > HOLES * rows
