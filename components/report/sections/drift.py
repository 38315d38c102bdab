"""What the monitor found before training."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from components.monitor.report import Check, MonitorReport, read
from components.report.charts.drift import bins_chart, errors_chart
from components.report.page import Chart, ReportSection, Table
from components.report.words import NOTHING, count, figure

DRAWN = 3
"""Distributions drawn of each check at most, the largest excess over its limit first."""
_TITLES = {
    "data": "New rows against the champion's training range",
    "skew": "Serving requests against the champion's training range",
    "concept": "The champion's error on new windows against its backtest",
}


def drift_section(folder: Path) -> ReportSection:
    """The decision, every check and its figures.

    Args:
        folder: The artifact of the node `monitor`.
    """
    report = read(folder)
    champion = report.champion
    facts: list[tuple[str, str]] = [("decision", report.decision)]
    if champion is not None:
        facts += [
            ("champion", f"version {champion.version}"),
            ("its training data", f"{champion.train_start} to {champion.train_end}"),
            ("data that it knew", f"until {champion.data_end}"),
            ("new rows", count(report.new_rows)),
            ("new series", ", ".join(report.new_series) or "none"),
            ("series without a new row", ", ".join(report.gone_series) or "none"),
        ]
    return ReportSection(
        "drift",
        "Drift",
        words=(report.summary, *report.reasons),
        facts=tuple(facts),
        tables=(_checks(report), *(_findings(check) for check in report.checks)),
        charts=tuple(chart for check in report.checks for chart in _charts(check)),
    )


def _checks(report: MonitorReport) -> Table:
    rows = tuple(
        (
            check.name,
            check.state.replace("_", " "),
            check.action,
            f"{check.start} to {check.end}" if check.start else NOTHING,
            check.reason,
            count(check.size),
        )
        for check in report.checks
    )
    columns = ("check", "state", "action", "range", "why", "looked at")
    return Table("Checks", columns, rows, left=5)


def _findings(check: Check) -> Table:
    rows = tuple(
        (
            one.subject,
            one.measure,
            "drifted" if one.drifted else "steady",
            figure(one.value),
            figure(one.limit),
            figure(one.threshold),
            figure(one.level),
        )
        for one in check.findings
    )
    columns = ("subject", "measure", "state", "value", "limit", "threshold", "usual level")
    return Table(_TITLES[check.name], columns, rows, left=3)


def _charts(check: Check) -> Iterator[Chart]:
    binned = ((one, one.bins) for one in check.findings)
    pairs = ((one, bins) for one, bins in binned if bins is not None)
    for index, (one, bins) in enumerate(islice(pairs, DRAWN)):
        yield bins_chart(check.name, index, one, bins)
    if check.errors is not None:
        yield errors_chart(check.errors)
