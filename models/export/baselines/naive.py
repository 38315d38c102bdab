"""Naive and seasonal naive, from one window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.baselines.seasonal_naive import SeasonalNaive
from models.export.baselines.core import BaselineCore, Refusal, Tensor
from models.windows.store import SeriesStore


class LookUpCore(BaselineCore):
    """Each label is one of the window's own values.

    Args:
        targets: Names.
        steps: int64 `[horizon]`: which step of the window each label repeats.
    """

    def __init__(self, targets: tuple[str, ...], steps: npt.NDArray[np.int64]) -> None:
        super().__init__()
        self._targets, self._steps = targets, steps.tolist()

    def __call__(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `BaselineCore`."""
        return {name: tf.gather(columns[name], self._steps, axis=1) for name in self._targets}


def naive_core(store: SeriesStore) -> LookUpCore:
    """The last step of the window, which holds the last known value (`models.windows.hold`)."""
    last = np.full(store.spec.horizon, store.spec.lookback - 1, np.int64)
    return LookUpCore(store.roles.targets, last)


def seasonal_naive_core(baseline: SeasonalNaive, store: SeriesStore) -> LookUpCore | Refusal:
    """The step a season before each label, if the window reaches back to it."""
    spec = store.spec
    steps = spec.lookback - 1 + baseline.steps_back(spec)
    if steps.min() < 0:
        needed = int(spec.lookback - steps.min())
        return Refusal(
            f"with a season of {baseline.season} steps it reads {needed} steps of history, and a "
            f"request holds window.lookback, {spec.lookback}; a lookback of at least {needed} "
            "would hold it"
        )
    return LookUpCore(store.roles.targets, steps)
