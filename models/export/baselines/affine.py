"""Baselines that are one affine map of the scaled window, such as the linear dynamical system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from models.baselines.train_rows import Array
from models.export.baselines.core import BaselineCore, Refusal, Tensor, as_float32, constant
from models.export.baselines.scale import SeriesScale, series_scale
from models.windows.store import SeriesStore


class Affine(Protocol):
    """`forecast = window @ weights + constant`, over flattened steps and targets."""

    @property
    def weights(self) -> Array:
        """float64 `[lookback * targets, horizon * targets]`: a window is flattened step by step,
        the oldest first, and so is a forecast.
        """

    @property
    def constant(self) -> Array:
        """float64 `[horizon * targets]`."""


@runtime_checkable
class AffineBaseline(Protocol):
    """A fitted baseline whose forecast is an affine map of the past of the targets, where these
    are scaled as in `models.baselines.ar.Ar`.
    """

    @property
    def moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation that scale each series: two float64 `[series, columns]`, the
        targets first; nan for a series that is scaled by its window.
        """

    @property
    def scaled(self) -> Affine:
        """The map from scaled windows to scaled forecasts."""


class AffineCore(BaselineCore):
    """An affine map between scaled windows and scaled forecasts of all targets.

    Args:
        targets: Names.
        found: The map.
        scale: Of the windows.
    """

    def __init__(self, targets: tuple[str, ...], found: Affine, scale: SeriesScale) -> None:
        super().__init__()
        self._targets, self._scale = targets, scale
        self._weights, self._constant = constant(found.weights), constant(found.constant)

    def __call__(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `BaselineCore`."""
        rows = self._scale.rows(columns)
        scaled, moments = [], []
        for k, name in enumerate(self._targets):
            past = tf.cast(columns[name], tf.float64)
            mean, std = self._scale.of(past, k, rows)
            scaled.append((past - mean) / std)
            moments.append((mean, std))
        flat = tf.reshape(tf.stack(scaled, axis=-1), (-1, self._weights.shape[0]))
        ahead = flat @ self._weights + self._constant
        ahead = tf.reshape(ahead, (-1, self._weights.shape[1] // len(scaled), len(scaled)))
        return {
            name: as_float32(ahead[:, :, k] * std + mean)
            for k, (name, (mean, std)) in enumerate(zip(self._targets, moments, strict=True))
        }


def affine_core(baseline: AffineBaseline, store: SeriesStore) -> AffineCore | Refusal:
    """The map, if a request says all that its forecasts depend on."""
    found = baseline.scaled
    if not (np.isfinite(found.weights).all() and np.isfinite(found.constant).all()):
        return Refusal("its forecasts grow beyond all numbers over the horizon")
    scale = series_scale(baseline.moments, store)
    return scale if isinstance(scale, Refusal) else AffineCore(store.roles.targets, found, scale)
