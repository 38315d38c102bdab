"""Figures of the monitor, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from components.monitor.report import Check, ErrorSeries, Finding, MonitorReport

COLUMNS = 30
"""Columns drawn in one figure at most, those nearest to or furthest above their limit."""
SHAPES = 4
"""Columns whose distributions are drawn at most."""
WHAT = {"data": "New rows", "skew": "Requests"}


def figures(report: MonitorReport) -> Iterator[tuple[str, Figure]]:
    """Each figure with its path, such as `figures/drift_data.png`.

    Distances of columns with their limits and the distributions of the worst ones, for new rows and
    for requests; the champion's errors through time.
    """
    for check in report.checks:
        if check.errors is not None:
            yield "figures/drift_concept.png", _errors(check, check.errors)
        elif check.findings:
            yield f"figures/drift_{check.name}.png", _distances(check)
            yield f"figures/drift_{check.name}_distributions.png", _distributions(check)


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(9, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _distances(check: Check) -> Figure:
    shown = check.findings[:COLUMNS]
    figure = _figure(1.6 + 0.32 * len(shown))
    axes = figure.add_subplot()
    place = np.arange(len(shown))[::-1]
    colors = ["C3" if found.drifted else "C0" for found in shown]
    axes.barh(place, [found.value for found in shown], color=colors, height=0.6)
    limits = [found.limit for found in shown]
    axes.scatter(limits, place, marker="|", s=200, color="black", label="limit", zorder=3)
    axes.set_yticks(place, [found.subject for found in shown])
    axes.set_xlim(0, 1)
    axes.set_xlabel("distance from the training rows (0: the same, 1: nothing in common)")
    axes.set_title(f"{WHAT[check.name]} against training, {check.size:,} looked at")
    axes.legend(fontsize="small", loc="lower right")
    return figure


def _distributions(check: Check) -> Figure:
    shown = check.findings[:SHAPES]
    figure = _figure(2.8 * len(shown))
    for row, found in enumerate(shown, start=1):
        axes = figure.add_subplot(len(shown), 1, row)
        _bars(axes, found)
        if row == 1:
            axes.legend(fontsize="small")
    return figure


def _bars(axes: object, found: Finding) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    bins = found.bins
    if bins is None:
        return
    both = np.asarray([bins.reference, bins.new])
    # Many texts: only those that tell most.
    keep = np.sort(np.argsort(-np.abs(both[1] - both[0]), kind="stable")[:20])
    place = np.arange(len(keep))
    axes.bar(place - 0.2, both[0, keep], 0.4, color="0.6", label="training")
    axes.bar(place + 0.2, both[1, keep], 0.4, color="C3" if found.drifted else "C0", label="new")
    labels = [bins.labels[i] for i in keep]
    axes.set_xticks(place, labels, rotation=35, ha="right", fontsize="x-small")
    axes.set_ylabel("share")
    level = "" if found.level is None else f", level {found.level:.2f}"
    axes.set_title(f"{found.subject}: {found.value:.2f} (limit {found.limit:.2f}{level})")


def _errors(check: Check, errors: ErrorSeries) -> Figure:
    figure = _figure(4.0)
    axes = figure.add_subplot()
    for times, values, mean, color, label in (
        (errors.backtest_times, errors.backtest_errors, errors.backtest, "0.5", "backtest"),
        (errors.new_times, errors.new_errors, errors.new, "C3", "new"),
    ):
        when = np.asarray(times, np.int64).astype("datetime64[s]")
        axes.plot(when, values, color=color, linewidth=0.9, alpha=0.8, label=label)
        axes.hlines(mean, when[0], when[-1], color=color, linewidth=2)
    limit = check.findings[0].limit * errors.backtest
    axes.axhline(limit, color="black", linestyle=":", label="limit for the mean")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("forecast origin")
    axes.set_ylabel("mean absolute error")
    axes.set_title("The champion's errors, in " + errors.unit)
    axes.tick_params(axis="x", rotation=20)
    axes.legend(fontsize="small")
    return figure
