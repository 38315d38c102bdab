"""The data itself: what was observed, what was filled, where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from components.report.charts.svg import BAD, LINES, RULE, SOFT, days, inline, panels
from components.report.page import Chart
from models.windows.store import SeriesStore

PANELS = 3
BUCKETS = 500
"""Stretches that a long series is cut into; each shows its smallest and its largest value."""
Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.float64]


def series_chart(store: SeriesStore) -> Chart | None:
    """The first targets of one series, or the first target of the first series; None if empty.

    Args:
        store: The windows; holes that were filled are marked, other ones stay empty.
    """
    pairs = _pairs(store)
    if not pairs:
        return None
    figure, axes = panels(len(pairs), 1.9 if len(pairs) > 1 else 2.9)
    for one, (series, column) in zip(axes, pairs, strict=True):
        _draw(store, one, series, column)
        one.set_ylabel(_label(store, series, column))
    names = ", ".join(_label(store, s, c) for s, c in pairs)
    more = len(store.series) * len(store.roles.targets) - len(pairs)
    rest = f"; {more} more are not drawn" if more else ""
    words = (
        "Values over time. Dotted lines: where validation and test begin. Red: steps without a "
        f"value, filled or left empty{rest}."
    )
    return Chart("Data and gaps", inline(figure, "series", f"{names} over time"), words)


def _pairs(store: SeriesStore) -> list[tuple[int, int]]:
    if not len(store.segments):
        return []
    if len(store.series) == 1:
        return [(0, k) for k in range(min(PANELS, len(store.roles.targets)))]
    present = sorted({int(s) for s in store.segments[:, 0]})
    return [(series, 0) for series in present[:PANELS]]


def _label(store: SeriesStore, series: int, column: int) -> str:
    target, name = store.roles.targets[column], store.series[series]
    if len(store.series) == 1:
        return target
    return f"{target}, {name}"


def _draw(store: SeriesStore, axes: Axes, series: int, column: int) -> None:
    total = int(store.segments[store.segments[:, 0] == series, 2].sum())
    end = None
    for first, rows in _segments(store, series):
        part = slice(first, first + rows)
        time = days(store.time[part])
        seen = np.asarray(store.observed[part, column])
        values = np.where(seen, np.asarray(store.values[part, column], np.float64), np.nan)
        if end is not None:
            axes.axvspan(end, time[0], color=BAD, alpha=0.15, linewidth=0)
        for start, stop in _stretches(~seen):
            middle = time[min(stop, rows - 1)], time[max(start - 1, 0)]
            axes.axvspan(middle[1], middle[0], color=BAD, alpha=0.3, linewidth=0.4)
        buckets = max(1, round(BUCKETS * rows / total))
        axes.plot(*_thinned(time, values, buckets), color=LINES[0], linewidth=0.9)
        end = time[-1]
    for boundary, split in zip(store.boundaries[1:3], ("validation", "test"), strict=True):
        when = float(days(boundary))
        axes.axvline(when, color=SOFT, linestyle=":", linewidth=1)
        axes.annotate(
            split, (when, 1), xycoords=("data", "axes fraction"), color=SOFT, fontsize=8,
            xytext=(3, -9), textcoords="offset points",
        )  # fmt: skip
    axes.xaxis_date()
    axes.margins(x=0.01)
    axes.tick_params(color=RULE)


def _segments(store: SeriesStore, series: int) -> Iterator[tuple[int, int]]:
    mine = np.asarray(store.segments)[store.segments[:, 0] == series]
    for _, first, rows in mine[np.argsort(np.asarray(store.time)[mine[:, 1]])]:
        yield int(first), int(rows)


def _stretches(missing: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of true values, at most `BUCKETS` of them, the longest."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(np.int8)))
    ranges = edges.reshape(-1, 2)
    longest = np.argsort(ranges[:, 0] - ranges[:, 1], kind="stable")[:BUCKETS]
    for start, stop in ranges[np.sort(longest)]:
        yield int(start), int(stop)


def _thinned(time: Times, values: Floats, buckets: int) -> tuple[Times, Floats]:
    """A line with the smallest and the largest value of each bucket, in the order of time."""
    if len(values) <= 2 * buckets:
        return time, values
    edges = np.linspace(0, len(values), buckets + 1).astype(np.int64)
    keep: list[int] = []
    for start, stop in pairwise(edges):
        part = values[start:stop]
        if np.isnan(part).all():
            keep.append(int(start))
            continue
        found = {int(np.nanargmin(part)), int(np.nanargmax(part))}
        keep.extend(sorted(int(start) + index for index in found))
    return time[keep], values[keep]
