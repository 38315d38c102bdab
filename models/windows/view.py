"""`WindowView`: some windows of a store, gathered in batches; nothing is materialised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.roles import OBSERVED
from models.windows.hold import hold

if TYPE_CHECKING:
    from models.windows.store import SeriesStore


@dataclass(frozen=True)
class WindowBatch:
    """A batch of `n` windows in natural units.

    Inputs hold nothing from after their last step: where they end inside a hole that was filled by
    linear interpolation, the last observed value is repeated instead (`models.windows.hold`).

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
        columns = [
            self._inputs(column, self.origins, self.store.spec.lookback)
            for column in range(len(self.store.roles.targets))
        ]
        return np.stack(columns, axis=-1)

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
        past = {
            name: self._inputs(column[name], self.origins, spec.lookback)
            for name in roles.targets + roles.covariates.past
            if name != OBSERVED
        }
        if OBSERVED in roles.covariates.past:
            back = self.origins[:, None] + np.arange(1 - spec.lookback, 1)
            mask = np.logical_and.reduce(store.observed[back, : len(roles.targets)], axis=-1)
            past[OBSERVED] = mask.astype(np.float32)
        ends = self.origins + spec.reach
        series = store.series_of(self.origins)
        return WindowBatch(
            past=past,
            future={n: self._inputs(column[n], ends, spec.span) for n in roles.covariates.future},
            static={n: _column(store.static[n])[series] for n in roles.covariates.static},
            time=np.asarray(store.time[self.origins]),
            series=series,
            labels=self.labels(),
        )

    def _inputs(
        self, column: int, ends: npt.NDArray[np.int64], steps: int
    ) -> npt.NDArray[np.float32]:
        store = self.store
        window: npt.NDArray[np.float32] = store.values[
            ends[:, None] + np.arange(1 - steps, 1), column
        ]
        if store.fill == "linear":
            hold(window, store.values, store.observed, store.first_of(ends), ends, column)
        return window

    def batches(self, size: int) -> Iterator[WindowBatch]:
        """The windows in order, `size` at a time; the last batch may be smaller."""
        for start in range(0, len(self), size):
            yield WindowView(self.store, self.origins[start : start + size]).gather()


def _column(values: tuple[object, ...]) -> npt.NDArray[np.generic]:
    text = any(isinstance(v, str) for v in values)
    return np.asarray(values, dtype=object if text else np.float32)
