"""Medians, ranges and ratios of turns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A value of each round."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Of at least one value."""
        if not values:
            raise ValueError("a figure needs the value of at least one round, got none")
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """Over the rounds."""
        return statistics.median(self.values)

    def text(self, digits: int = 2) -> str:
        """`median (lowest to highest)`."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

    def json(self) -> dict[str, Any]:
        """Median, range and each value."""
        return {
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "values": list(self.values),
        }


def times_faster(ours: Figure, theirs: Figure) -> Figure:
    """How many times as fast as `theirs` `ours` is, from the seconds of both, round by round.

    A round's two turns lie minutes at most apart, so what the machine did to one it did to the
    other: the ratio of each round is taken first, the median over rounds after.
    """
    return Figure.of([b / a for a, b in zip(ours.values, theirs.values, strict=True)])


def share_of_peak(flops: float, seconds: Figure, peak: Figure) -> Figure:
    """Share of the machine's product peak that a step reaches, round by round.

    Args:
        flops: Of a step.
        seconds: Of a step, by round.
        peak: FLOP/s of a large product, by round.
    """
    pairs = zip(seconds.values, peak.values, strict=True)
    return Figure.of([flops / s / p for s, p in pairs])


@dataclass(frozen=True)
class Bound:
    """What a ratio has to be.

    Attributes:
        what: In words.
        found: Over the rounds.
        at_least: The least median.
    """

    what: str
    found: Figure
    at_least: float

    @property
    def met(self) -> bool:
        """Whether the median is."""
        return self.found.median >= self.at_least

    def line(self) -> str:
        """One sentence."""
        word = "met" if self.met else "MISSED"
        return f"{self.what}: {self.found.text()}, asked at least {self.at_least:g}: {word}"

    def json(self) -> dict[str, Any]:
        """What was asked, what was found."""
        return {
            "what": self.what,
            "asked": self.at_least,
            "found": self.found.median,
            "met": self.met,
        }
