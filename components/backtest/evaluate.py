"""Candidate, baselines and champion on the same test windows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.backtest.champion import ChampionEntry
from components.backtest.config import GateConfig
from components.backtest.evaluation import (
    CANDIDATE,
    CHAMPION,
    SEASONAL,
    ChampionReport,
    Comparison,
    Evaluation,
    HorizonScores,
    ModelScores,
    Verdict,
    model_scores,
    number,
)
from components.backtest.gate import Rival, decide
from components.baselines.stored import StoredBaselines
from models.errors import BadInputError, FailedRunError
from models.features.scaling import Scaling
from models.metrics.losses import window_losses
from models.metrics.paired import diebold_mariano, mean_by_time, overlap
from models.metrics.scores import METRICS, Scores
from models.metrics.yardstick import Yardstick
from models.windows.store import SeriesStore
from models.windows.view import WindowView

Predictions = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Backtest:
    """An evaluation and what it was made from.

    Attributes:
        evaluation: For `evaluation.json`.
        scores: By model, in the order of `evaluation.models`.
        predictions: By model, `[windows of that model, horizon, targets]`.
        yardstick: Divisors of the scaled metrics.
    """

    evaluation: Evaluation
    scores: Mapping[str, Scores]
    predictions: Mapping[str, Predictions]
    yardstick: Yardstick


def evaluate(
    store: SeriesStore,
    candidate: Predictions,
    baselines: StoredBaselines,
    champion: ChampionEntry | None,
    *,
    gate: GateConfig,
    scaling: Scaling,
    season: int,
) -> Backtest:
    """Scores all models on the test windows of `store` and applies the gate.

    The champion is compared on the windows that have enough history for it; the candidate is
    scored again on these for that comparison.

    Args:
        store: The windows.
        candidate: float32 `[test windows, horizon, targets]`, natural units.
        baselines: Forecasts of the same windows.
        champion: None when there is none.
        gate: The rule.
        scaling: Moments of the train split.
        season: Steps in a season, for MASE.

    Raises:
        BadInputError: If there is no test window, or the gate asks for a baseline that was not
            scored.
        FailedRunError: If forecasts do not belong to these windows.
    """
    view = store.view("test")
    _require(view, candidate, baselines, gate)
    yardstick = Yardstick.of(store, scaling, season)
    predictions: dict[str, Predictions] = {CANDIDATE: candidate}
    index: dict[str, npt.NDArray[np.int64] | None] = {CANDIDATE: None}
    if champion is not None and champion.predictions is not None:
        predictions[CHAMPION] = champion.predictions
        whole = len(champion.index) == len(view)
        index[CHAMPION] = None if whole else champion.index
    for name in baselines.names:
        predictions[name] = baselines.predictions(name)
        index[name] = None
    field = _Field(view, predictions, index, yardstick, gate.metric)
    scores = {name: field.scores(name) for name in predictions}
    overall = {name: s.overall() for name, s in scores.items()}
    comparisons = {name: field.compare(name) for name in predictions if name != CANDIDATE}
    ranked = [n for n in baselines.names if math.isfinite(overall[n][gate.metric])]
    start = store.time[view.origins + 1 + store.spec.gap]
    end = store.time[view.origins + store.spec.reach]
    evaluation = Evaluation(
        metric=gate.metric,
        season=season,
        windows=len(view),
        labels_from=_iso(int(start.min())),
        labels_to=_iso(int(end.max())),
        horizon=store.spec.horizon,
        targets=store.roles.targets,
        series=len(store.series),
        mase_left_out=int((~yardstick.usable).sum()),
        models={name: field.section(name, overall[name]) for name in predictions},
        per_horizon={name: _by_step(s) for name, s in scores.items()},
        per_target={name: _by_target(s, store.roles.targets) for name, s in scores.items()},
        best_baseline=min(ranked, key=lambda n: overall[n][gate.metric], default=None),
        comparisons=tuple(comparisons.values()),
        champion=None if champion is None else field.report(champion),
        verdict=_verdict(gate, field, overall, comparisons, champion),
    )
    return Backtest(evaluation, scores, predictions, yardstick)


class _Field:
    """All models, and the windows each was scored on."""

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
        index, mine = self.index[other], self._loss(CANDIDATE)
        mine = mine if index is None else mine[index]
        view, spec = self._windows(other), self.view.store.spec
        time = np.asarray(view.store.time[view.origins])
        a, b = mean_by_time(time, (mine, self._loss(other)))
        test = diebold_mariano(a, b, overlap(spec.reach, spec.stride))
        return Comparison(
            other=other,
            loss=self.metric,
            windows=len(view),
            origins=test.origins,
            mean_difference=number(test.mean_difference),
            statistic=number(test.statistic),
            p_two_sided=number(test.p_two_sided),
            p_better=number(test.p_better),
            lags=test.lags,
            variance=test.variance,
        )

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


def _verdict(
    gate: GateConfig,
    field: _Field,
    overall: Mapping[str, Mapping[str, float]],
    comparisons: Mapping[str, Comparison],
    champion: ChampionEntry | None,
) -> Verdict:
    mine = overall[CANDIDATE][gate.metric]

    def p_better(name: str) -> float:
        value = comparisons[name].p_better
        return math.nan if value is None else value

    rivals = [Rival(n, mine, overall[n][gate.metric], p_better(n)) for n in gate.beats]
    notes = []
    if champion is not None and gate.champion:
        version = champion.champion.version
        if champion.predictions is not None:
            same = field.value(CANDIDATE, field.index[CHAMPION])
            theirs = overall[CHAMPION][gate.metric]
            label = f"the champion (version {version})"
            rivals.append(Rival(label, same, theirs, p_better(CHAMPION)))
            if champion.reason:
                notes.append(f"the champion (version {version}) was {champion.reason}")
        elif champion.same_model:
            notes.append(champion.reason)
        else:
            notes.append(f"the champion (version {version}) was not compared: {champion.reason}")
    return decide(gate, mine, rivals, windows=len(field.view), notes=notes)


def _require(
    view: WindowView, candidate: Predictions, baselines: StoredBaselines, gate: GateConfig
) -> None:
    if not len(view):
        raise BadInputError(
            "there is no test window to score the model on: use a shorter window, a larger "
            "split.test, or more data"
        )
    missing = [name for name in gate.beats if name not in baselines.names]
    if missing:
        raise BadInputError(
            f"gate.beats names {missing}, but baselines.names holds only "
            f"{list(baselines.names)}: add them there or take them out of the gate"
        )
    shape = (len(view), view.store.spec.horizon, len(view.store.roles.targets))
    for name, found in [
        ("the candidate", candidate.shape),
        *((f"the baseline {n}", baselines.predictions(n).shape) for n in baselines.names),
    ]:
        if found != shape:
            raise FailedRunError(
                f"forecasts of {name} have the shape {found}, the test windows need {shape}: they "
                "were made for other windows; run the pipeline again"
            )


def _by_step(scores: Scores) -> HorizonScores:
    along = scores.by("horizon")
    return HorizonScores(**{name: tuple(number(v) for v in along[name]) for name in METRICS})


def _by_target(scores: Scores, targets: tuple[str, ...]) -> dict[str, dict[str, float | None]]:
    along = scores.by("target")
    return {t: {m: number(along[m][i]) for m in METRICS} for i, t in enumerate(targets)}


def _iso(seconds: int) -> str:
    return f"{np.datetime64(seconds, 's')}Z"
