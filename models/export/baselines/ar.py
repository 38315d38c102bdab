"""Autoregression, from one window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from models.baselines.ar import Ar, Array
from models.export.baselines.core import BaselineCore, Refusal, Tensor, as_float32, constant
from models.export.baselines.series import SeriesLookUp, series_look_up
from models.windows.store import SeriesStore


class ArCore(BaselineCore):
    """The iterated forecast, which is linear in the last values of the scaled window.

    A series that is not known from training, or had no train rows, is scaled by the mean and
    standard deviation of its window, as `Ar.predict` does.

    Args:
        weights: By target, float64 `[order, horizon]` (row 0 for the last value) and `[horizon]`.
        mean: float64 `[series, targets]`, nan where unknown.
        std: As `mean`.
        series: Finds the series of a window; None: there is one only.
    """

    def __init__(
        self,
        weights: Mapping[str, tuple[Array, Array]],
        mean: Array,
        std: Array,
        series: SeriesLookUp | None,
    ) -> None:
        super().__init__()
        self._series = series
        self._order = {name: len(lags) for name, (lags, _) in weights.items()}
        self._lags = {name: constant(lags) for name, (lags, _) in weights.items()}
        self._shift = {name: constant(shift) for name, (_, shift) in weights.items()}
        self._mean, self._std = constant(mean), constant(std)

    def __call__(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `BaselineCore`."""
        rows = None if self._series is None else self._series(columns)
        result = {}
        for k, name in enumerate(self._order):
            past = tf.cast(columns[name], tf.float64)
            mean, std = self._moments(past, k, rows)
            newest_first = tf.reverse(past, axis=[1])[:, : self._order[name]]
            ahead = ((newest_first - mean) / std) @ self._lags[name] + self._shift[name]
            result[name] = as_float32(ahead * std + mean)
        return result

    def _moments(self, past: Tensor, target: int, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        own = tf.reduce_mean(past, axis=1, keepdims=True)
        spread = tf.math.reduce_std(past, axis=1, keepdims=True)
        spread = tf.where(spread > 0, spread, tf.ones_like(spread))
        if rows is None:
            mean, std = self._mean[:1, target, None], self._std[:1, target, None]
        else:
            found = tf.maximum(rows, 0)[:, None]
            missing = tf.constant(np.nan, tf.float64)
            mean = tf.where(rows[:, None] < 0, missing, tf.gather(self._mean[:, target], found))
            std = tf.gather(self._std[:, target], found)
        known = tf.logical_not(tf.math.is_nan(mean))
        return tf.where(known, mean, own), tf.where(known, std, spread)


def ar_core(baseline: Ar, store: SeriesStore) -> ArCore | Refusal:
    """The autoregression, if a request says all that its forecasts depend on."""
    spec, targets = store.spec, store.roles.targets
    weights = {}
    for name in targets:
        lags, shift = baseline.fitted[name].weights(spec.reach)
        lags, shift = lags[:, spec.gap :], shift[spec.gap :]
        if not (np.isfinite(lags).all() and np.isfinite(shift).all()):
            return Refusal(f"its forecasts of {name!r} grow beyond all numbers over the horizon")
        weights[name] = (lags, shift)
    mean, std = (moments[:, : len(targets)] for moments in baseline.moments)
    if len(store.series) == 1:
        return ArCore(weights, mean, std, None)
    found = series_look_up(store)
    if isinstance(found, Refusal):
        return Refusal(
            "it was fitted to several series, each scaled by the mean and standard deviation of "
            f"its own train rows, and {found.reason}"
        )
    return ArCore(weights, mean, std, found)
