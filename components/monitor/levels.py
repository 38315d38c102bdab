"""Levels: how far apart stretches of the training data were, the same question asked earlier.

A day is narrower than a year whatever happens, and the next month of a growing series lies above
all before it. So a distance says little by itself. It is held against what the same measure gave
inside the training data: for ranges as long as the new one, each against all that came before it,
with as much time in between as lies between the training data and the new rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from components.monitor.distance import Comparator
from components.monitor.profile import Counts, Profile

MOST = 64
"""Ranges looked at."""
FEWEST = 5
"""With fewer there is no level."""
LEAST_REFERENCE = 1 / 3
"""Share of the training data that the first range is held against, at least."""


def level(values: npt.NDArray[np.float64]) -> float | None:
    """From where on a value is far out among `values`; None for fewer than `FEWEST`.

    The outer fence of J. W. Tukey (Exploratory Data Analysis, 1977), three interquartile ranges
    above the upper quartile, so that a single odd day in the past does not hide all later ones; or
    the largest value, where that is lower.
    """
    if len(values) < FEWEST:
        return None
    lower, upper = np.quantile(values, [0.25, 0.75])
    return float(min(values.max(), upper + 3 * (upper - lower)))


def rank(value: float, values: npt.NDArray[np.float64]) -> float | None:
    """Share of `values` below `value`; None for fewer than `FEWEST`."""
    return float((values < value).mean()) if len(values) >= FEWEST else None


def ranges(blocks: int, width: int, gap: int) -> list[tuple[int, int]]:
    """Where references end and where the ranges of `width` blocks after them start.

    Args:
        blocks: Blocks of the training data.
        width: Of a range; at least 1.
        gap: Blocks between reference and range; less where there is no room for it.

    Returns:
        At most `MOST` pairs (end of the reference, exclusive; start of the range), spread evenly;
        none if the training data is too short.
    """
    least = max(1, round(blocks * LEAST_REFERENCE))
    room = blocks - least - width
    if room < FEWEST - 1:
        return []
    gap = min(gap, room - (FEWEST - 1))
    ends = np.unique(np.linspace(least, blocks - width - gap, MOST).round().astype(np.int64))
    return [(int(end), int(end) + gap) for end in ends]


def distances_inside(
    profile: Profile, comparator: Comparator, *, seconds: float, gap: float
) -> dict[str, npt.NDArray[np.float64]]:
    """The distances of ranges inside the training data, by column.

    Args:
        profile: Of the training data.
        comparator: The measure.
        seconds: Length of the ranges; a block at least.
        gap: Seconds between a range and what it is held against.

    Returns:
        By column, float64 `[ranges]`; empty where the training data is too short for `FEWEST`.
    """
    width = max(1, round(seconds / profile.seconds))
    pairs = ranges(profile.blocks, width, max(0, round(gap / profile.seconds)))
    sums = {
        name: np.vstack([np.zeros((1, counts.shape[1]), np.int64), counts.cumsum(axis=0)])
        for name, counts in profile.counts.items()
    }

    def between(first: int, last: int) -> dict[str, Counts]:
        return {name: total[last] - total[first] for name, total in sums.items()}

    found: dict[str, list[float]] = {name: [] for name in profile.columns}
    for end, start in pairs:
        distances = comparator.distances(between(0, end), between(start, start + width))
        for name, distance in distances.items():
            found[name].append(distance)
    return {
        name: np.asarray(values if len(values) >= FEWEST else [], np.float64)
        for name, values in found.items()
    }
