"""Forecasts on single test windows, and the error by horizon of all models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator

from components.backtest.evaluation import CANDIDATE, Evaluation, Number
from components.backtest.samples import SampleWindow
from components.report.charts.svg import INK, SOFT, days, inline, legend, line_color, panels
from components.report.page import Chart
from components.report.words import moment

_TITLES = {
    "newest": "Newest test window",
    "best": "Best test window of the candidate",
    "median": "Median test window of the candidate",
    "worst": "Worst test window of the candidate",
}


def forecast_chart(window: SampleWindow, models: Sequence[str]) -> Chart:
    """One test window: history, what came, and what was forecast.

    Args:
        window: With at least one target.
        models: All models of the evaluation, for their colours.
    """
    rows = len(window.targets)
    figure, panel = panels(rows, 2.1 if rows > 1 else 2.9)
    past, ahead = days(window.past), days(window.ahead)
    for index, (axes, sample) in enumerate(zip(panel, window.targets, strict=True)):
        axes.plot(past, _values(sample.history), color=SOFT, linewidth=1, label="history")
        marker = "." if len(ahead) < 40 else None
        axes.plot(ahead, _values(sample.actual), color=INK, marker=marker, label="actual")
        for line in sample.forecasts:
            color, width = line_color(models, line.model), 2 if line.model == CANDIDATE else 1.2
            values = _values(line.values)
            axes.plot(ahead, values, color=color, linewidth=width, marker=marker, label=line.model)
        axes.axvline(float(days(window.origin)), color=SOFT, linestyle=":")
        axes.set_ylabel(sample.target)
        axes.xaxis_date()
        if index == 0:
            legend(axes, 6)
    title = _TITLES.get(window.label, window.label)
    of = f" of series {window.series}" if window.series else ""
    words = f"Last input {moment(window.origin)}{of}."
    drawing = inline(figure, f"forecast-{window.label}", f"{title}: forecast and actual values")
    return Chart(title, drawing, words)


def horizon_chart(evaluation: Evaluation) -> Chart:
    """The gate's metric of every model by step of the horizon."""
    figure, [axes] = panels()
    models = list(evaluation.models)
    steps = np.arange(1, evaluation.horizon + 1)
    for name, along in evaluation.per_horizon.items():
        width = 2.2 if name == CANDIDATE else 1.2
        values = _values(along.of(evaluation.metric))
        marker = "." if evaluation.horizon < 40 else None
        color = line_color(models, name)
        axes.plot(steps, values, color=color, linewidth=width, marker=marker, label=name)
    axes.set_xlabel("step of the horizon")
    axes.set_ylabel(evaluation.metric)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes, 6)
    words = f"On {evaluation.windows:,} test windows; lower is better."
    drawing = inline(figure, "horizon", f"{evaluation.metric} by step of the horizon")
    return Chart("Error by horizon", drawing, words)


def _values(line: Sequence[Number]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in line])
