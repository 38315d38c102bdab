"""`Evaluation`: what a backtest found, as `evaluation.json` keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.metrics.scores import METRICS
from models.section import Section

FORMAT = 1
CANDIDATE = "candidate"
CHAMPION = "champion"
SEASONAL = "seasonal_naive"

Number = float | None
"""A metric; null where it is not defined or not finite."""


class ModelScores(Section):
    """Metrics of one model over its windows, labels that were not observed left out.

    `mae`, `rmse` and `mse` are in natural units, `smape` runs from 0 to 200, `mae_scaled` and
    `mse_scaled` are in standard deviations of each target on the train rows, `mase` in seasonal
    naive errors on the train rows. `skill` is 1 minus the gate's metric over that of seasonal
    naive on the same windows: 0 is as good, 1 is perfect.
    """

    windows: int
    mae: Number
    rmse: Number
    mse: Number
    smape: Number
    mase: Number
    mae_scaled: Number
    mse_scaled: Number
    skill: Number


class HorizonScores(Section):
    """The metrics of `ModelScores` at each step of the horizon, the first step first."""

    mae: tuple[Number, ...]
    rmse: tuple[Number, ...]
    mse: tuple[Number, ...]
    smape: tuple[Number, ...]
    mase: tuple[Number, ...]
    mae_scaled: tuple[Number, ...]
    mse_scaled: tuple[Number, ...]

    def of(self, metric: str) -> tuple[Number, ...]:
        """The values of one metric."""
        values: tuple[Number, ...] = getattr(self, metric)
        return values


class Comparison(Section):
    """Diebold-Mariano test of the candidate against another model on the same windows.

    See `models.metrics.paired.PairedTest`; `mean_difference` is the candidate's loss minus the
    other's, so below 0 the candidate is better, and `p_better` is small when that is no accident.
    """

    other: str
    loss: str
    windows: int
    origins: int
    mean_difference: Number
    statistic: Number
    p_two_sided: Number
    p_better: Number
    lags: int
    variance: str


class ChampionReport(Section):
    """The champion, whether it was compared, and if not why.

    `same_model` says that the candidate is the champion already, `same_as` names the baseline that
    it is, if one. `windows` is the number of
    windows with enough history for the champion; `candidate` the candidate's metrics on these.
    """

    version: str
    digest: str
    compared: bool
    same_model: bool
    same_as: str = ""
    reason: str
    windows: int
    candidate: ModelScores | None


class Verdict(Section):
    """Whether a model may be pushed, with one sentence per model that the candidate had to beat."""

    blessed: bool
    reasons: tuple[str, ...]
    summary: str


class Evaluation(Section):
    """A backtest. Keys are stable: new ones may be added, none is renamed or removed.

    Attributes:
        format: Version of this layout.
        metric: The gate's metric.
        season: Steps in a season, for MASE.
        windows: Test windows.
        labels_from: ISO time (UTC) of the first label of the test windows.
        labels_to: Of the last one.
        horizon: Label steps.
        targets: Names.
        series: Number of series.
        mase_left_out: Pairs of series and target without a MASE, because the seasonal
            denominator on the train rows is 0 or unknown.
        models: By `candidate`, `champion` (where compared) and each baseline.
        per_horizon: By model, then by metric, one value per step of the horizon.
        per_target: By model, then by target, then by metric.
        best_baseline: The baseline with the lowest value of `metric`.
        comparisons: Of the candidate with every other model.
        champion: Null when there is none.
        winner: What is blessed: `candidate`, a baseline, or null.
        verdict: The gate's.
    """

    format: int = FORMAT
    metric: str
    season: int
    windows: int
    labels_from: str
    labels_to: str
    horizon: int
    targets: tuple[str, ...]
    series: int
    mase_left_out: int
    models: dict[str, ModelScores]
    per_horizon: dict[str, HorizonScores]
    per_target: dict[str, dict[str, dict[str, Number]]]
    best_baseline: str | None
    comparisons: tuple[Comparison, ...]
    champion: ChampionReport | None
    winner: str | None = None
    verdict: Verdict


def number(value: float) -> Number:
    """`value`, or None when it is nan or infinite: JSON has no word for these."""
    return float(value) if math.isfinite(value) else None


def model_scores(overall: Mapping[str, float], windows: int, skill: float) -> ModelScores:
    """The section of `Scores.overall`."""
    values = {name: number(overall[name]) for name in METRICS}
    return ModelScores(windows=windows, skill=number(skill), **values)
