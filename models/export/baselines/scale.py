"""The mean and standard deviation of a window's series, as the baselines of several series use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from models.baselines.train_rows import Array
from models.export.baselines.core import Refusal, Tensor, constant
from models.export.baselines.series import SeriesLookUp, series_look_up
from models.windows.store import SeriesStore


class SeriesScale(tf.Module):
    """Moments of the series that each window is of, by target.

    A series that is not known from training, or had no train rows, is scaled by the mean and
    standard deviation of its window, as `Ar.predict` does.

    Args:
        mean: float64 `[series, targets]`, nan where unknown.
        std: As `mean`.
        series: Finds the series of a window; None: there is one only.
    """

    def __init__(self, mean: Array, std: Array, series: SeriesLookUp | None) -> None:
        super().__init__()
        self._series = series
        self._mean, self._std = constant(mean), constant(std)

    def rows(self, columns: Mapping[str, Tensor]) -> Tensor | None:
        """Which series the windows are of, for `of`."""
        return None if self._series is None else self._series(columns)

    def of(self, past: Tensor, target: int, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, float64, each [batch, 1] or [1, 1].

        Args:
            past: float64 [batch, lookback], values of the target.
            target: Its index.
            rows: From `rows`.
        """
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


def series_scale(moments: tuple[Array, Array], store: SeriesStore) -> SeriesScale | Refusal:
    """The scale of a baseline that was fitted to `store`, if a request tells its series.

    Args:
        moments: Two float64 `[series, columns]`, the targets first.
        store: The windows.
    """
    mean, std = (values[:, : len(store.roles.targets)] for values in moments)
    if len(store.series) == 1:
        return SeriesScale(mean, std, None)
    found = series_look_up(store)
    if isinstance(found, Refusal):
        return Refusal(
            "it was fitted to several series, each scaled by the mean and standard deviation of "
            f"its own train rows, and {found.reason}"
        )
    return SeriesScale(mean, std, found)
