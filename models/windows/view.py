"""`WindowView`: some windows of a store, gathered in batches; nothing is materialised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.roles import OBSERVED

if TYPE_CHECKING:
    from models.windows.store import SeriesStore


@dataclass(frozen=True)
class WindowBatch:
    """A batch of `n` windows in natural units.

    Attributes:
        past: By column (targets and past covariates), float32 `[n, lookback]`.
        future: By future covariate, float32 `[n, lookback + gap + horizon]`: the past part first.
        static: By static covariate, `[n]`, float32 or object (str).
        time: int64 `[n]`, Unix seconds of the forecast origin.
        series: int64 `[n]`, index of the series.
        labels: float32 `[n, horizon, targets]`; nan where the label was not observed but filled.
    """

    past: dict[str, npt.NDArray[np.float32]]
    future: dict[str, npt.NDArray[np.float32]]
    static: dict[str, npt.NDArray[np.generic]]
    time: npt.NDArray[np.int64]
    series: npt.NDArray[np.int64]
    labels: npt.NDArray[np.float32]


@dataclass(frozen=True)
class WindowView:
    """The windows of `store` whose last input steps are the rows `origins`."""

    store: SeriesStore
    origins: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.origins)

    def take(self, indices: npt.NDArray[np.int64]) -> WindowView:
        """The view of the windows at `indices`, in that order."""
        return WindowView(self.store, self.origins[indices])

    def targets(self) -> npt.NDArray[np.float32]:
        """Past targets of all windows, `[windows, lookback, targets]`: a copy, for small views."""
        spec = self.store.spec
        rows = self.origins[:, None] + np.arange(1 - spec.lookback, 1)
        return self.store.values[rows, : len(self.store.roles.targets)]

    def labels(self) -> npt.NDArray[np.float32]:
        """Labels of all windows, `[windows, horizon, targets]`; nan where not observed."""
        spec, width = self.store.spec, len(self.store.roles.targets)
        rows = self.origins[:, None] + np.arange(1 + spec.gap, 1 + spec.reach)
        values = self.store.values[rows, :width]
        return np.where(self.store.observed[rows, :width], values, np.float32(np.nan))

    def gather(self) -> WindowBatch:
        """All windows of the view as one batch: for views that fit in memory."""
        store, spec, roles = self.store, self.store.spec, self.store.roles
        column = {name: i for i, name in enumerate(roles.dynamic)}
        back = self.origins[:, None] + np.arange(1 - spec.lookback, 1)
        whole = self.origins[:, None] + np.arange(1 - spec.lookback, 1 + spec.reach)
        past = {
            name: store.values[back, column[name]]
            for name in roles.targets + roles.covariates.past
            if name != OBSERVED
        }
        if OBSERVED in roles.covariates.past:
            mask = store.observed[back, : len(roles.targets)].all(axis=-1)
            past[OBSERVED] = mask.astype(np.float32)
        series = store.series_of(self.origins)
        return WindowBatch(
            past=past,
            future={n: store.values[whole, column[n]] for n in roles.covariates.future},
            static={n: _column(store.static[n])[series] for n in roles.covariates.static},
            time=np.asarray(store.time[self.origins]),
            series=series,
            labels=self.labels(),
        )

    def batches(self, size: int) -> Iterator[WindowBatch]:
        """The windows in order, `size` at a time; the last batch may be smaller."""
        for start in range(0, len(self), size):
            yield WindowView(self.store, self.origins[start : start + size]).gather()


def _column(values: tuple[object, ...]) -> npt.NDArray[np.generic]:
    text = any(isinstance(v, str) for v in values)
    return np.asarray(values, dtype=object if text else np.float32)
