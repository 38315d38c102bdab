"""`Scores`: sums of errors by series, horizon step and target, and the means over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.metrics.pointwise import absolute_error, squared_error, symmetric_percentage_error
from models.metrics.yardstick import Yardstick
from models.windows.view import WindowView

Array = npt.NDArray[np.float64]
Axis = Literal["series", "horizon", "target"]
AXES: tuple[Axis, ...] = ("series", "horizon", "target")
METRICS = ("mae", "rmse", "mse", "smape", "mase", "mae_scaled", "mse_scaled")
TERMS: Mapping[str, Callable[[npt.ArrayLike, npt.ArrayLike], Array]] = {
    "absolute": absolute_error,
    "squared": squared_error,
    "symmetric": symmetric_percentage_error,
}
CHUNK = 1 << 20
"""Labels scored at once: a bound on memory, without influence on the result."""


@dataclass(frozen=True)
class Scores:
    """Sums of errors over the windows seen so far; labels that are nan are left out.

    Sums are float64 and kept apart by series, horizon step and target, so that every mean comes
    from one pass and neither the size nor the order of the batches matters.

    Attributes:
        yardstick: Divisors of the scaled metrics.
        sums: By term (`absolute`, `squared`, `symmetric`), float64 `[series, horizon, targets]`.
        count: int64 `[series, horizon, targets]`: labels scored.
    """

    yardstick: Yardstick
    sums: dict[str, Array]
    count: npt.NDArray[np.int64] = field(repr=False)

    @classmethod
    def empty(cls, yardstick: Yardstick, horizon: int) -> Scores:
        """Scores of no window yet."""
        series, targets = yardstick.denominators.shape
        shape = (series, horizon, targets)
        return cls(yardstick, {t: np.zeros(shape) for t in TERMS}, np.zeros(shape, np.int64))

    @classmethod
    def of(
        cls, view: WindowView, predictions: npt.NDArray[np.float32], yardstick: Yardstick
    ) -> Scores:
        """Scores of all windows of a view.

        Args:
            view: The windows.
            predictions: `[windows, horizon, targets]`, natural units; may be memory-mapped.
            yardstick: Divisors of the scaled metrics.

        Raises:
            ValueError: If `predictions` has another shape than the labels of `view`.
        """
        horizon, targets = view.store.spec.horizon, len(view.store.roles.targets)
        if predictions.shape != (len(view), horizon, targets):
            raise ValueError(
                f"predictions have the shape {predictions.shape}, "
                f"the labels {(len(view), horizon, targets)}"
            )
        scores = cls.empty(yardstick, horizon)
        size = max(1, CHUNK // (horizon * targets))
        for start in range(0, len(view), size):
            part = WindowView(view.store, view.origins[start : start + size])
            series = view.store.series_of(part.origins)
            scores.update(part.labels(), predictions[start : start + size], series)
        return scores

    def update(
        self,
        labels: npt.NDArray[np.float32],
        predictions: npt.NDArray[np.float32],
        series: npt.NDArray[np.int64],
    ) -> None:
        """Adds a batch.

        Args:
            labels: `[n, horizon, targets]`, nan where not observed.
            predictions: `[n, horizon, targets]`; nan or infinite forecasts spoil their means.
            series: `[n]`, index of the series.
        """
        seen = ~np.isnan(labels)
        for name, term in TERMS.items():
            with np.errstate(invalid="ignore", over="ignore"):
                errors = np.where(seen, term(labels, predictions), 0.0)
            _add(self.sums[name], series, errors)
        _add(self.count, series, seen.astype(np.int64))

    def overall(self) -> dict[str, float]:
        """Every metric of `METRICS` over all labels; nan where none was observed.

        MASE is the mean over series and targets of MAE divided by the seasonal denominator;
        pairs whose denominator is 0 or unknown are left out, and it is nan when none is left.
        """
        return {name: float(value) for name, value in self._reduce(()).items()}

    def by(self, axis: Axis) -> dict[str, Array]:
        """Every metric along one axis.

        Args:
            axis: `series`, `horizon` or `target`.

        Returns:
            By metric, float64 `[series]`, `[horizon]` or `[targets]`.
        """
        return self._reduce((axis,))

    def scored(self, axis: Axis) -> npt.NDArray[np.int64]:
        """Labels scored along one axis."""
        drop = tuple(i for i, name in enumerate(AXES) if name != axis)
        return np.asarray(self.count.sum(axis=drop))

    def _reduce(self, keep: tuple[Axis, ...]) -> dict[str, Array]:
        drop = tuple(i for i, name in enumerate(AXES) if name not in keep)
        scale = self.yardstick.scale
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            count = self.count.sum(axis=drop)

            def mean(sums: Array) -> Array:
                return np.asarray(np.where(count > 0, sums.sum(axis=drop) / count, np.nan))

            mse = mean(self.sums["squared"])
            return {
                "mae": mean(self.sums["absolute"]),
                "rmse": np.sqrt(mse),
                "mse": mse,
                "smape": mean(self.sums["symmetric"]),
                "mase": self._mase(drop, "horizon" in keep),
                "mae_scaled": mean(self.sums["absolute"] / scale),
                "mse_scaled": mean(self.sums["squared"] / scale**2),
            }

    def _mase(self, drop: tuple[int, ...], by_step: bool) -> Array:
        within = () if by_step else (1,)
        count = self.count.sum(axis=within, keepdims=True) if within else self.count
        sums = self.sums["absolute"]
        sums = sums.sum(axis=within, keepdims=True) if within else sums
        usable = self.yardstick.usable[:, None, :] & (count > 0)
        ratio = np.where(usable, sums / count / self.yardstick.denominators[:, None, :], 0.0)
        pairs = usable.sum(axis=drop)
        return np.asarray(np.where(pairs > 0, ratio.sum(axis=drop) / pairs, np.nan))


def _add(
    sums: npt.NDArray[np.float64] | npt.NDArray[np.int64],
    series: npt.NDArray[np.int64],
    terms: npt.NDArray[np.float64] | npt.NDArray[np.int64],
) -> None:
    # Windows come series by series: one reduction per run is far cheaper than one per window.
    if len(series) == 0:
        return
    starts = np.flatnonzero(np.r_[True, series[1:] != series[:-1]])
    np.add.at(sums, series[starts], np.add.reduceat(terms, starts, axis=0))
