"""Flat, scaled inputs and labels of the feed-forward baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.baselines.train_rows import column_moments
from models.windows.store import SeriesStore
from models.windows.view import WindowBatch

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FlatFeatures:
    """Turns windows into rows of numbers of order 1, and back.

    Targets enter as the difference to their last value, together with that value; covariates
    enter as they are, future ones up to the end of the horizon. All are divided by the standard
    deviation of their column on the train rows. Static and calendar covariates are left out.

    Attributes:
        targets: Names, in the order of the labels.
        mean: By dynamic column.
        std: By dynamic column.
    """

    targets: tuple[str, ...]
    mean: dict[str, float]
    std: dict[str, float]

    @classmethod
    def of(cls, store: SeriesStore) -> FlatFeatures:
        """Constants from the train rows of `store`."""
        mean, std = column_moments(store)
        names = store.roles.dynamic
        # A covariate that was never observed in the train rows tells nothing: leave it as it is.
        means = {n: float(m) for n, m in zip(names, np.nan_to_num(mean, nan=0.0), strict=True)}
        stds = {n: float(s) for n, s in zip(names, np.nan_to_num(std, nan=1.0), strict=True)}
        return cls(store.roles.targets, means, stds)

    def inputs(self, batch: WindowBatch) -> Array:
        """float32 `[n, features]`."""
        parts = []
        for name, values in batch.past.items():
            if name in self.targets:
                last = values[:, -1:]
                parts.append((values[:, :-1] - last) / self.std[name])
                parts.append((last - self.mean[name]) / self.std[name])
            elif name in self.mean:
                parts.append((values - self.mean[name]) / self.std[name])
            else:
                parts.append(values)
        for name, values in batch.future.items():
            parts.append((values - self.mean[name]) / self.std[name])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def outputs(self, batch: WindowBatch) -> Array:
        """Labels as differences to the last value, float32 `[n, horizon * targets]`; nan stays."""
        last, std = self._last(batch)
        return ((batch.labels - last) / std).reshape(len(batch.time), -1).astype(np.float32)

    def natural(self, batch: WindowBatch, outputs: Array) -> npt.NDArray[np.float64]:
        """Inverse of `outputs`: float64 `[n, horizon, targets]`, natural units."""
        last, std = self._last(batch)
        shaped = np.asarray(outputs, np.float64).reshape(len(outputs), -1, len(self.targets))
        return shaped * std + last

    def _last(self, batch: WindowBatch) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        last = np.stack([batch.past[name][:, -1] for name in self.targets], axis=-1)
        std = np.asarray([self.std[name] for name in self.targets])
        return np.asarray(last, np.float64)[:, None, :], std
