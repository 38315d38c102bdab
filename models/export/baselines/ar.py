"""Autoregression, from one window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from models.baselines.ar import Ar, Array
from models.export.baselines.core import BaselineCore, Refusal, Tensor, as_float32, constant
from models.export.baselines.scale import SeriesScale, series_scale
from models.windows.store import SeriesStore


class ArCore(BaselineCore):
    """The iterated forecast, which is linear in the last values of the scaled window.

    Args:
        weights: By target, float64 `[order, horizon]` (row 0 for the last value) and `[horizon]`.
        scale: Of the windows.
    """

    def __init__(self, weights: Mapping[str, tuple[Array, Array]], scale: SeriesScale) -> None:
        super().__init__()
        self._scale = scale
        self._order = {name: len(lags) for name, (lags, _) in weights.items()}
        self._lags = {name: constant(lags) for name, (lags, _) in weights.items()}
        self._shift = {name: constant(shift) for name, (_, shift) in weights.items()}

    def __call__(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `BaselineCore`."""
        rows = self._scale.rows(columns)
        result = {}
        for k, name in enumerate(self._order):
            past = tf.cast(columns[name], tf.float64)
            mean, std = self._scale.of(past, k, rows)
            newest_first = tf.reverse(past, axis=[1])[:, : self._order[name]]
            ahead = ((newest_first - mean) / std) @ self._lags[name] + self._shift[name]
            result[name] = as_float32(ahead * std + mean)
        return result


def ar_core(baseline: Ar, store: SeriesStore) -> ArCore | Refusal:
    """The autoregression, if a request says all that its forecasts depend on."""
    spec = store.spec
    weights = {}
    for name in store.roles.targets:
        lags, shift = baseline.fitted[name].weights(spec.reach)
        lags, shift = lags[:, spec.gap :], shift[spec.gap :]
        if not (np.isfinite(lags).all() and np.isfinite(shift).all()):
            return Refusal(f"its forecasts of {name!r} grow beyond all numbers over the horizon")
        weights[name] = (lags, shift)
    scale = series_scale(baseline.moments, store)
    return scale if isinstance(scale, Refusal) else ArCore(weights, scale)
