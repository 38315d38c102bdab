"""Candidate, baselines and champion on the same test windows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.backtest.champion import ChampionEntry
from components.backtest.config import GateConfig
from components.backtest.evaluation import (
    CANDIDATE,
    CHAMPION,
    Comparison,
    Evaluation,
    HorizonScores,
    Verdict,
    number,
)
from components.backtest.field import Field, Predictions
from components.backtest.gate import Rival, judge
from components.backtest.verdict import conclude, doubt
from components.backtest.winner import Contender, Standing
from components.baselines.stored import StoredBaselines
from models.errors import BadInputError, FailedRunError
from models.features.scaling import Scaling
from models.metrics.scores import METRICS, Scores
from models.metrics.yardstick import Yardstick
from models.windows.store import SeriesStore
from models.windows.view import WindowView


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
    streaming: bool = False,
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
        streaming: Whether the model that is served has to read series step by step, which no
            baseline can.

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
    field = Field(view, predictions, index, yardstick, gate.metric)
    scores = {name: field.scores(name) for name in predictions}
    overall = {name: s.overall() for name, s in scores.items()}
    comparisons = {name: field.compare(name) for name in predictions if name != CANDIDATE}
    ranked = [n for n in baselines.names if math.isfinite(overall[n][gate.metric])]
    contenders = {
        name: (baselines.model(name), _refusal(baselines, name, streaming))
        for name in baselines.names
    }
    verdict, winner = _verdict(gate, field, overall, comparisons, champion, contenders)
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
        winner=winner,
        verdict=verdict,
    )
    return Backtest(evaluation, scores, predictions, yardstick)


def _verdict(
    gate: GateConfig,
    field: Field,
    overall: Mapping[str, Mapping[str, float]],
    comparisons: Mapping[str, Comparison],
    champion: ChampionEntry | None,
    contenders: Mapping[str, tuple[Path | None, str]],
) -> tuple[Verdict, str | None]:
    mine = overall[CANDIDATE][gate.metric]

    def rival(name: str, label: str = "", value: float = mine) -> Rival:
        p = comparisons[name].p_better
        theirs = overall[name][gate.metric]
        return Rival(label or name, value, theirs, math.nan if p is None else p)

    rivals = [rival(name) for name in gate.beats]
    notes, standing = [], None
    if champion is not None and gate.champion:
        standing = _standing(gate, field, champion, tuple(contenders))
        if champion.predictions is not None:
            same = field.value(CANDIDATE, field.index[CHAMPION])
            rivals.append(rival(CHAMPION, champion.label, same))
            if champion.reason:
                notes.append(f"{champion.label} was {champion.reason}")
        elif champion.same_model:
            notes.append(champion.reason)
        else:
            notes.append(f"{champion.label} was not compared: {champion.reason}")
    found = [
        Contender(
            name,
            overall[name][gate.metric],
            folder,
            refusal,
            beaten=judge(gate, mine, [rival(name)]).passed,
        )
        for name, (folder, refusal) in contenders.items()
    ]
    return conclude(
        gate, gate.bless, mine, rivals, found, standing, size=len(field.view), notes=notes
    )


def _standing(
    gate: GateConfig, field: Field, champion: ChampionEntry, baselines: tuple[str, ...]
) -> Standing | None:
    """The champion that a baseline has to beat; the candidate, where that is the champion."""
    if champion.predictions is None and not champion.same_model:
        return None
    name = CANDIDATE if champion.same_model else CHAMPION
    on = field.index[name]
    doubts = {}
    if gate.significance is not None:
        doubts = {n: doubt(gate, field.test(n, name).p_better) for n in baselines}
    return Standing(
        champion.label,
        field.value(name, None),
        {n: field.value(n, on) for n in baselines},
        same_as=champion.same_as,
        doubts={n: text for n, text in doubts.items() if text},
    )


def _refusal(baselines: StoredBaselines, name: str, streaming: bool) -> str:
    if streaming:
        return (
            "serving.streaming asks for a model that reads a series step by step, and a baseline "
            "reads whole windows"
        )
    return baselines.refusals.get(name, "")


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
