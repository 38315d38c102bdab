"""Every window of a small table, found one by one in plain Python: the reference for the store.

Nothing here is shared with the code under test. A cell is a Python float or None.
"""

from __future__ import annotations

from dataclasses import dataclass

SPLITS = ("train", "validation", "test")
Cells = dict[tuple[str, int, int], float]
"""Observed values by (series, step, column)."""


@dataclass(frozen=True)
class Case:
    """A table on a grid of integer steps, and what to do with it."""

    cells: Cells
    rows: frozenset[tuple[str, int]]
    columns: int
    targets: int
    lookback: int
    horizon: int
    stride: int
    gap: int
    longest: int
    kind: str
    borders: tuple[int, int, int, int]


@dataclass(frozen=True)
class Window:
    """One window: cells are (value, observed)."""

    series: str
    origin: int
    past: tuple[tuple[tuple[float, bool], ...], ...]
    labels: tuple[tuple[float | None, ...], ...]


def split_of(case: Case, step: int) -> str | None:
    """The split that a step belongs to."""
    for i, name in enumerate(SPLITS):
        if case.borders[i] <= step < case.borders[i + 1]:
            return name
    return None


def hole(case: Case, series: str, step: int, column: int, bounds: tuple[int, int]) -> range | None:
    """The run of missing values around a cell, or None if the cell is observed."""
    if (series, step, column) in case.cells:
        return None
    low = step
    while low > bounds[0] and (series, low - 1, column) not in case.cells:
        low -= 1
    high = step
    while high < bounds[1] and (series, high + 1, column) not in case.cells:
        high += 1
    return range(low, high + 1)


def segments(case: Case, series: str) -> list[range]:
    """The segments of a series."""
    steps = [t for s, t in case.rows if s == series and t < case.borders[3]]
    if not steps:
        return []
    bounds = (min(steps), max(steps))
    found: list[list[int]] = [[]]
    for t in range(bounds[0], bounds[1] + 1):
        holes = [hole(case, series, t, c, bounds) for c in range(case.columns)]
        if any(h is not None and len(h) > case.longest for h in holes):
            found.append([])
        else:
            found[-1].append(t)

    def complete(t: int) -> bool:
        return all((series, t, c) in case.cells for c in range(case.columns))

    result = []
    for stretch in found:
        while stretch and not complete(stretch[0]):
            stretch = stretch[1:]
        while stretch and not complete(stretch[-1]):
            stretch = stretch[:-1]
        if stretch:
            result.append(range(stretch[0], stretch[-1] + 1))
    return result


def filled(case: Case, series: str, step: int, column: int) -> float:
    """The value stored for a cell inside a segment."""
    if (series, step, column) in case.cells:
        return case.cells[series, step, column]
    a = step
    while (series, a, column) not in case.cells:
        a -= 1
    b = step
    while (series, b, column) not in case.cells:
        b += 1
    left, right = case.cells[series, a, column], case.cells[series, b, column]
    if case.kind == "mean":
        known = [
            v
            for (s, t, c), v in case.cells.items()
            if s == series and c == column and split_of(case, t) == "train"
        ]
        return sum(known) / len(known) if known else left
    if case.kind == "linear" and split_of(case, a) == split_of(case, b):
        return left + (right - left) * (step - a) / (b - a)
    return left


def seen(case: Case, series: str, step: int, column: int, end: int) -> float:
    """The value that a window whose inputs end at `end` sees of a cell."""
    if case.kind == "linear":
        a = end
        while (series, a, column) not in case.cells:
            a -= 1
        if step > a:
            return case.cells[series, a, column]
    return filled(case, series, step, column)


def windows(case: Case) -> dict[str, list[Window]]:
    """All windows by split, in the order of series and origin."""
    result: dict[str, list[Window]] = {s: [] for s in SPLITS}
    for series in sorted({s for s, _ in case.rows}):
        for segment in segments(case, series):
            for t in segment:
                if (t - segment.start - (case.lookback - 1)) % case.stride:
                    continue
                inputs = [t - case.lookback + 1 + i for i in range(case.lookback)]
                labels = [t + 1 + case.gap + i for i in range(case.horizon)]
                if inputs[0] not in segment or labels[-1] not in segment:
                    continue
                splits = {split_of(case, step) for step in labels}
                if len(splits) > 1 or None in splits:
                    continue
                result[str(splits.pop())].append(
                    Window(
                        series,
                        t,
                        tuple(
                            tuple(
                                (seen(case, series, u, c, t), (series, u, c) in case.cells)
                                for c in range(case.columns)
                            )
                            for u in inputs
                        ),
                        tuple(
                            tuple(case.cells.get((series, u, c)) for c in range(case.targets))
                            for u in labels
                        ),
                    )
                )
    return result
