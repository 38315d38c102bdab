"""Figures of a backtest, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from components.backtest.evaluate import Backtest
from components.backtest.evaluation import CANDIDATE, CHAMPION, Number
from components.backtest.samples import SampleWindow, samples
from models.metrics.scores import CHUNK
from models.windows.store import SeriesStore

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

    Forecast against actual for the newest test window and the best, median and worst one of the
    candidate, error by horizon step of all models, and the histogram of the candidate's residuals.

    Args:
        store: The windows.
        backtest: What was found on them.

    Yields:
        (path such as `figures/forecast_best.png`, figure).
    """
    for window in samples(store, backtest).windows:
        yield f"figures/forecast_{window.label}.png", _forecast(window)
    yield "figures/error_by_horizon.png", _by_horizon(backtest)
    yield "figures/residuals.png", _residuals(store, backtest)


def _figure(rows: int = 1, height: float = 4.0) -> Figure:
    figure = Figure(figsize=(9, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _forecast(window: SampleWindow) -> Figure:
    past, ahead = _when(window.past), _when(window.ahead)
    figure = _figure(len(window.targets), 2.6 if len(window.targets) > 1 else 4.0)
    for k, sample in enumerate(window.targets):
        axes = figure.add_subplot(len(window.targets), 1, k + 1)
        axes.plot(past, _values(sample.history), color="0.4", label="history")
        axes.plot(ahead, _values(sample.actual), color="black", label="actual")
        for line in sample.forecasts:
            style = STYLE.get(line.model, {"alpha": 0.8})
            axes.plot(ahead, _values(line.values), label=line.model, **style)
        origin: Any = np.datetime64(window.origin, "s")
        axes.axvline(origin, color="0.8", linestyle=":")
        axes.set_ylabel(sample.target)
        axes.tick_params(axis="x", rotation=20)
        if k == 0:
            suffix = f", series {window.series}" if window.series else ""
            axes.set_title(f"{window.label.capitalize()} test window, origin {origin}Z{suffix}")
            axes.legend(fontsize="small")
    return figure


def _when(seconds: Sequence[int]) -> npt.NDArray[np.datetime64]:
    return np.asarray(seconds, np.int64).astype("datetime64[s]")


def _values(line: Sequence[Number]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in line])


def _by_horizon(backtest: Backtest) -> Figure:
    evaluation = backtest.evaluation
    figure = _figure()
    axes = figure.add_subplot()
    steps = np.arange(1, evaluation.horizon + 1)
    for name, along in evaluation.per_horizon.items():
        values = _values(along.of(evaluation.metric))
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
