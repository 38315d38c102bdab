"""Figures of a backtest, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from components.backtest.evaluate import Backtest
from components.backtest.evaluation import CANDIDATE, CHAMPION
from models.metrics.losses import window_losses
from models.metrics.scores import CHUNK
from models.windows.store import SeriesStore

TARGETS = 4
"""Targets drawn in one figure at most."""
STYLE: dict[str, dict[str, Any]] = {
    CANDIDATE: {"color": "C3", "linewidth": 1.8, "zorder": 5},
    CHAMPION: {"color": "C4", "linewidth": 1.4, "zorder": 4},
    "naive": {"color": "C7"},
    "seasonal_naive": {"color": "C1"},
    "ar": {"color": "C0"},
    "ffnn": {"color": "C2"},
}


def figures(store: SeriesStore, backtest: Backtest) -> Iterator[tuple[str, Figure]]:
    """Each figure with its path.

    Forecast against actual for the best, median and worst test window of the candidate (by
    absolute error in train standard deviations), error by horizon step of all models, and the
    histogram of the candidate's residuals.

    Args:
        store: The windows.
        backtest: What was found on them.

    Yields:
        (path such as `figures/forecast_best.png`, figure).
    """
    for label, index in extremes(store, backtest).items():
        yield f"figures/forecast_{label}.png", _forecast(store, backtest, label, index)
    yield "figures/error_by_horizon.png", _by_horizon(backtest)
    yield "figures/residuals.png", _residuals(store, backtest)


def extremes(store: SeriesStore, backtest: Backtest) -> dict[str, int]:
    """Index of the `best`, `median` and `worst` test window; empty if none has a label."""
    losses = window_losses(
        store.view("test"), backtest.predictions[CANDIDATE], "mae_scaled", backtest.yardstick
    )
    order = np.argsort(losses, kind="stable")[: np.count_nonzero(~np.isnan(losses))]
    if not len(order):
        return {}
    middle = int(order[(len(order) - 1) // 2])
    return {"best": int(order[0]), "median": middle, "worst": int(order[-1])}


def _figure(rows: int = 1, height: float = 4.0) -> Figure:
    figure = Figure(figsize=(9, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _forecast(store: SeriesStore, backtest: Backtest, label: str, index: int) -> Figure:
    spec, view = store.spec, store.view("test").take(np.array([index]))
    origin = int(view.origins[0])
    # Enough history to see a season, not so much that the forecast shrinks to nothing.
    back = min(spec.lookback, max(3 * spec.reach, 2 * backtest.yardstick.season, 24))
    past, ahead = np.arange(origin - back + 1, origin + 1), np.arange(spec.horizon)
    ahead += origin + 1 + spec.gap
    when = np.asarray(store.time).astype("datetime64[s]")
    targets = store.roles.targets[:TARGETS]
    figure = _figure(len(targets), 2.6 if len(targets) > 1 else 4.0)
    for k, target in enumerate(targets):
        axes = figure.add_subplot(len(targets), 1, k + 1)
        history = np.where(store.observed[past, k], store.values[past, k], np.nan)
        axes.plot(when[past], history, color="0.4", label="history")
        axes.plot(when[ahead], view.labels()[0, :, k], color="black", label="actual")
        for name, values in _shown(backtest, index):
            axes.plot(when[ahead], values[:, k], label=name, **STYLE.get(name, {"alpha": 0.8}))
        axes.axvline(when[origin], color="0.8", linestyle=":")
        axes.set_ylabel(target)
        axes.tick_params(axis="x", rotation=20)
        if k == 0:
            series = store.series[int(store.series_of(view.origins)[0])]
            suffix = f", series {series}" if series else ""
            axes.set_title(f"{label.capitalize()} test window, origin {when[origin]}Z{suffix}")
            axes.legend(fontsize="small")
    return figure


def _shown(backtest: Backtest, index: int) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    best, champion = backtest.evaluation.best_baseline, backtest.evaluation.champion
    names = [CANDIDATE, *([best] if best else [])]
    for name in names:
        yield name, backtest.predictions[name][index]
    # A champion that was compared on some windows only is indexed differently.
    whole = champion is not None and champion.windows == backtest.evaluation.windows
    if CHAMPION in backtest.predictions and whole:
        yield CHAMPION, backtest.predictions[CHAMPION][index]


def _by_horizon(backtest: Backtest) -> Figure:
    evaluation = backtest.evaluation
    figure = _figure()
    axes = figure.add_subplot()
    steps = np.arange(1, evaluation.horizon + 1)
    for name, along in evaluation.per_horizon.items():
        values = np.array([np.nan if v is None else v for v in along.of(evaluation.metric)])
        marker = "o" if evaluation.horizon == 1 else None
        axes.plot(steps, values, label=name, marker=marker, **STYLE.get(name, {"alpha": 0.8}))
    axes.set_xlabel("step of the horizon")
    axes.set_ylabel(evaluation.metric)
    axes.set_title(f"Error by horizon on {evaluation.windows} test windows")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    return figure


def _residuals(store: SeriesStore, backtest: Backtest) -> Figure:
    view, predictions = store.view("test"), backtest.predictions[CANDIDATE]
    per_window = store.spec.horizon * len(store.roles.targets)
    number = min(len(view), max(1, CHUNK // per_window))
    index = np.linspace(0, len(view) - 1, number).round().astype(np.int64)
    errors = np.asarray(predictions[index], np.float64) - view.take(index).labels()
    errors /= backtest.yardstick.scale
    figure = _figure()
    axes = figure.add_subplot()
    for k, target in enumerate(store.roles.targets):
        values = errors[:, :, k]
        values = values[np.isfinite(values)]
        if len(values):
            axes.hist(values, bins=80, histtype="step", density=True, label=target)
    axes.axvline(0, color="0.6", linestyle=":")
    axes.set_xlabel("forecast minus actual, in train standard deviations")
    axes.set_ylabel("density")
    axes.set_title("Residuals of the candidate on the test windows")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
    return figure
