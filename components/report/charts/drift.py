"""Distributions that moved, and the champion's error through time."""

from __future__ import annotations

import numpy as np

from components.monitor.report import Bins, ErrorSeries, Finding
from components.report.charts.svg import BAD, LINES, SOFT, days, inline, legend, panels
from components.report.page import Chart

NAME = 18
"""Characters of a bin's name that are drawn."""


def bins_chart(check: str, index: int, finding: Finding, bins: Bins) -> Chart:
    """Training values against new ones, as shares of bins.

    Args:
        check: Name of the check.
        index: Of the finding, for its key.
        finding: What was measured.
        bins: Its distributions.
    """
    figure, [axes] = panels(height=2.6)
    place = np.arange(len(bins.labels))
    axes.bar(place - 0.2, bins.reference, 0.4, color=LINES[5], label="training")
    axes.bar(place + 0.2, bins.new, 0.4, color=LINES[0], label="new")
    names = [n if len(n) <= NAME else f"{n[: NAME - 1]}…" for n in bins.labels]
    axes.set_xticks(place, names, rotation=90 if len(names) > 6 else 0)
    axes.set_ylabel("share")
    legend(axes)
    state = "has drifted" if finding.drifted else "is steady"
    words = f"{finding.measure} {finding.value:.4g}, limit {finding.limit:.4g}: {state}."
    drawing = inline(
        figure, f"drift-{check}-{index}", f"{finding.subject}: training and new values"
    )
    return Chart(finding.subject, drawing, words)


def errors_chart(errors: ErrorSeries) -> Chart:
    """The champion's error in its backtest and on the windows that came after."""
    figure, [axes] = panels()
    for times, values, mean, color, label in (
        (errors.backtest_times, errors.backtest_errors, errors.backtest, LINES[5], "backtest"),
        (errors.new_times, errors.new_errors, errors.new, BAD, "new windows"),
    ):
        if times:
            when = days(times)
            axes.plot(when, values, color=color, marker=".", linewidth=1, label=label)
            axes.hlines(mean, when[0], when[-1], color=color, linestyle="--", linewidth=1)
    axes.xaxis_date()
    axes.set_ylim(bottom=0)
    axes.set_ylabel(errors.unit, color=SOFT)
    legend(axes)
    drawing = inline(figure, "concept", "the champion's error through time")
    return Chart("Error of the champion", drawing, "Dashed lines are means.")
