"""Candidate, baselines and champion side by side on the test windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.backtest.evaluation import CANDIDATE, ChampionReport, Evaluation
from components.backtest.samples import Samples
from components.backtest.write import read
from components.report.charts.forecasts import forecast_chart, horizon_chart
from components.report.page import ReportSection, Table
from components.report.words import NOTHING, count, figure, moment

STEPS = 24
"""Steps of the horizon in the table at most."""


def score_sections(folder: Path, shown: tuple[str, ...]) -> tuple[ReportSection, ...]:
    """The comparison, the error by horizon, and forecasts of single windows.

    Args:
        folder: The ModelEvaluation artifact.
        shown: Metrics that people look at first.
    """
    evaluation = read(folder)
    windows = Samples.load(folder).windows
    tables = [
        models_table(evaluation.models, shown, evaluation.metric, higher=False),
        tests_table(evaluation.comparisons),
        *([_targets(evaluation)] if len(evaluation.targets) > 1 else []),
    ]
    facts = [
        ("test windows", count(evaluation.windows)),
        ("labels", f"{evaluation.labels_from} to {evaluation.labels_to}"),
        ("season of MASE and seasonal naive", f"{evaluation.season} steps"),
        ("best baseline", evaluation.best_baseline or NOTHING),
        ("champion", champion_words(evaluation.champion)),
    ]
    return (
        ReportSection(
            "models",
            "Candidate, baselines and champion",
            facts=tuple(facts),
            tables=tuple(tables),
        ),
        ReportSection(
            "horizon",
            "Error by horizon",
            tables=(_horizon(evaluation),),
            charts=(horizon_chart(evaluation),),
        ),
        ReportSection(
            "forecasts",
            "Forecasts of test windows",
            words=() if windows else ("No windows were kept: run with --no-cache to see some.",),
            tables=(_windows(windows),) if windows else (),
            charts=tuple(forecast_chart(window, list(evaluation.models)) for window in windows),
        ),
    )


def champion_words(champion: ChampionReport | Any | None) -> str:
    """Whether there was a champion, and whether it was compared."""
    if champion is None:
        return "there was none"
    if champion.same_model:
        return f"version {champion.version}: the candidate is that very model"
    if not champion.compared:
        return f"version {champion.version}, not compared: {champion.reason}"
    return f"version {champion.version}, {champion.reason or 'on the same outcomes'}"


def models_table(
    models: Mapping[str, Any], shown: Sequence[str], metric: str, *, higher: bool
) -> Table:
    """The metrics of every model, the best by `metric` first, the candidate in bold."""
    columns = [*shown, *(m for m in ("rmse", "smape", "calibration_error") if m not in shown)]
    first = next(iter(models.values()))
    columns = [column for column in columns if hasattr(first, column)]
    names = sorted(models, key=partial(_rank, models, metric, higher))
    rows = tuple(
        (name, *(figure(getattr(models[name], column)) for column in columns)) for name in names
    )
    heads = (f"{c.upper()} (gate)" if c == metric else c.upper() for c in columns)
    strong = names.index(CANDIDATE) if CANDIDATE in names else None
    way = "higher" if higher else "lower"
    title = f"Best {metric} first ({way} is better), natural units"
    return Table(title, ("model", *heads), rows, strong=strong)


def _rank(models: Mapping[str, Any], metric: str, higher: bool, name: str) -> float:
    value = getattr(models[name], metric)
    if value is None:
        return float("inf")
    return float(-value if higher else value)


def tests_table(comparisons: Sequence[Any]) -> Table:
    """Whether the candidate's lead is more than an accident."""
    rows = tuple(
        (
            one.other,
            figure(getattr(one, "mean_difference", getattr(one, "difference", None))),
            figure(one.p_better),
            figure(one.p_two_sided),
        )
        for one in comparisons
    )
    columns = ("against", "mean difference", "p: not better", "p: no difference")
    return Table("Paired tests of the candidate against each other model", columns, rows)


def _targets(evaluation: Evaluation) -> Table:
    names = tuple(evaluation.models)
    metric = evaluation.metric if evaluation.metric != "skill" else "mae"
    rows = tuple(
        (target, *(figure(evaluation.per_target[n].get(target, {}).get(metric)) for n in names))
        for target in evaluation.targets
    )
    return Table(f"{metric.upper()} by target", ("target", *names), rows)


def _horizon(evaluation: Evaluation) -> Table:
    names = tuple(evaluation.per_horizon)
    values = [evaluation.per_horizon[name].of(evaluation.metric) for name in names]
    step = max(1, -(-evaluation.horizon // STEPS))
    chosen = sorted({*range(0, evaluation.horizon, step), evaluation.horizon - 1})
    rows = tuple((str(i + 1), *(figure(value[i]) for value in values)) for i in chosen)
    return Table(f"{evaluation.metric.upper()} by step of the horizon", ("step", *names), rows)


def _windows(windows: Sequence[Any]) -> Table:
    """Mean absolute error of each model on each window, over all its targets shown."""
    models = [line.model for line in windows[0].targets[0].forecasts]
    rows = []
    for window in windows:
        cells = []
        for position in range(len(models)):
            errors = [
                abs(guess - actual)
                for target in window.targets
                for guess, actual in zip(
                    target.forecasts[position].values, target.actual, strict=True
                )
                if guess is not None and actual is not None
            ]
            cells.append(figure(sum(errors) / len(errors)) if errors else NOTHING)
        rows.append((window.label, window.series or NOTHING, moment(window.origin), *cells))
    heads = ("window", "series", "last input", *(f"MAE {model}" for model in models))
    return Table("Error on the windows below", heads, tuple(rows), left=3)
