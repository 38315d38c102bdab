"""`Field`: all models of a backtest, and the windows each was scored on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from components.backtest.champion import ChampionEntry
from components.backtest.evaluation import (
    CANDIDATE,
    CHAMPION,
    SEASONAL,
    ChampionReport,
    Comparison,
    ModelScores,
    model_scores,
    number,
)
from models.metrics.losses import window_losses
from models.metrics.paired import PairedTest, diebold_mariano, mean_by_time, overlap
from models.metrics.scores import Scores
from models.metrics.yardstick import Yardstick
from models.windows.view import WindowView

Predictions = npt.NDArray[np.float32]


class Field:
    """All models, and the windows each was scored on.

    Args:
        view: All test windows.
        predictions: By model, `[windows of that model, horizon, targets]`.
        index: By model, int64: its windows among those of `view`; None: all of them.
        yardstick: Divisors of the scaled metrics.
        metric: The gate's.
    """

    def __init__(
        self,
        view: WindowView,
        predictions: Mapping[str, Predictions],
        index: Mapping[str, npt.NDArray[np.int64] | None],
        yardstick: Yardstick,
        metric: str,
    ) -> None:
        self.view = view
        self.predictions = predictions
        self.index = index
        self.yardstick = yardstick
        self.metric = metric
        self._values: dict[str, float] = {}
        self._losses: dict[str, npt.NDArray[np.float64]] = {}

    def scores(self, name: str, on: npt.NDArray[np.int64] | None = None) -> Scores:
        """Scores of a model on its own windows, or on some of all windows."""
        if on is not None and self.index[name] is None:
            return Scores.of(self.view.take(on), self.predictions[name][on], self.yardstick)
        return Scores.of(self._windows(name), self.predictions[name], self.yardstick)

    def value(self, name: str, on: npt.NDArray[np.int64] | None) -> float:
        """The gate's metric on some of all windows; nan for a model that was not scored."""
        if name not in self.predictions:
            return math.nan
        if on is not None:
            return self.scores(name, on).overall()[self.metric]
        if name not in self._values:
            self._values[name] = self.scores(name).overall()[self.metric]
        return self._values[name]

    def section(
        self, name: str, overall: Mapping[str, float], on: npt.NDArray[np.int64] | None = None
    ) -> ModelScores:
        """The metrics of a model with its skill."""
        subset = on if on is not None else self.index[name]
        reference = self.value(SEASONAL, subset)
        skill = 1 - overall[self.metric] / reference if reference > 0 else math.nan
        windows = len(self._windows(name)) if on is None else len(on)
        return model_scores(overall, windows, skill)

    def compare(self, other: str) -> Comparison:
        """The paired test of the candidate against `other` on the windows of `other`."""
        test = self.test(CANDIDATE, other)
        return Comparison(
            other=other,
            loss=self.metric,
            windows=len(self._windows(other)),
            origins=test.origins,
            mean_difference=number(test.mean_difference),
            statistic=number(test.statistic),
            p_two_sided=number(test.p_two_sided),
            p_better=number(test.p_better),
            lags=test.lags,
            variance=test.variance,
        )

    def test(self, name: str, other: str) -> PairedTest:
        """Whether a model that was scored on all windows is better than `other` on its windows."""
        index, mine = self.index[other], self._loss(name)
        mine = mine if index is None else mine[index]
        view, spec = self._windows(other), self.view.store.spec
        time = np.asarray(view.store.time[view.origins])
        a, b = mean_by_time(time, (mine, self._loss(other)))
        return diebold_mariano(a, b, overlap(spec.reach, spec.stride))

    def report(self, entry: ChampionEntry) -> ChampionReport:
        """What is said of the champion."""
        compared = entry.predictions is not None
        candidate = None
        if compared:
            on = self.index[CHAMPION]
            candidate = self.section(CANDIDATE, self.scores(CANDIDATE, on).overall(), on)
        return ChampionReport(
            version=entry.champion.version,
            digest=entry.champion.digest,
            compared=compared,
            same_model=entry.same_model,
            same_as=entry.same_as,
            reason=entry.reason,
            windows=len(entry.index),
            candidate=candidate,
        )

    def _windows(self, name: str) -> WindowView:
        index = self.index[name]
        return self.view if index is None else self.view.take(index)

    def _loss(self, name: str) -> npt.NDArray[np.float64]:
        if name not in self._losses:
            view, predictions = self._windows(name), self.predictions[name]
            self._losses[name] = window_losses(view, predictions, self.metric, self.yardstick)
        return self._losses[name]
