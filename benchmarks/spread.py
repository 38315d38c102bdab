"""Figures over several seeds: mean and range, and whether a threshold is met."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

FIRST_SEED = 7


@dataclass(frozen=True)
class Spread:
    """A figure of each seed; one that has no seed, as a baseline's, has one value."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values)

    def text(self, digits: int = 4) -> str:
        """`mean (lowest to highest)`; the mean alone where all are equal."""
        low, high = min(self.values), max(self.values)
        if low == high:
            return f"{low:.{digits}f}"
        return f"{self.mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

    def json(self) -> dict[str, Any]:
        """Mean, range and each value."""
        low, high = min(self.values), max(self.values)
        return {"mean": self.mean, "min": low, "max": high, "values": list(self.values)}


@dataclass(frozen=True)
class Threshold:
    """What a figure has to be: the mean over seeds, compared with `bound`."""

    what: str
    spread: Spread
    kind: Literal["at least", "above", "below"]
    bound: float

    @property
    def met(self) -> bool:
        """Whether it is so."""
        mean = self.spread.mean
        if self.kind == "at least":
            return mean >= self.bound
        return mean > self.bound if self.kind == "above" else mean < self.bound

    def line(self) -> str:
        """One sentence."""
        word = "met" if self.met else "MISSED"
        return f"{self.what}: {self.spread.text()}, asked {self.kind} {self.bound:.4g}: {word}"

    def json(self) -> dict[str, Any]:
        """What was asked, what was found."""
        return {
            "what": self.what,
            "asked": f"{self.kind} {self.bound:.6g}",
            "found": self.spread.mean,
            "met": self.met,
        }


def arguments(what: str | None) -> argparse.Namespace:
    """`--seeds` (how many, from `FIRST_SEED` on) and `--quick`, and `--only` names."""
    parser = argparse.ArgumentParser(
        description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    parser.add_argument(
        "--quick", action="store_true", help="one seed, two epochs: whether it runs at all"
    )
    parser.add_argument("--only", nargs="+", default=None, metavar="NAME", help="some of the tasks")
    given = parser.parse_args()
    given.seeds = range(FIRST_SEED, FIRST_SEED + (1 if given.quick else given.seeds))
    return given


def publish(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    thresholds: Sequence[Threshold],
    content: Any,
    out: Path | None,
) -> bool:
    """Prints the table and the thresholds and writes `content` with them as JSON.

    Args:
        title: Of the table.
        header: Of its columns.
        rows: Its cells; an empty row is a line between sections.
        thresholds: What is asked.
        content: JSON-able.
        out: Where to write; None for a quick run, whose numbers mean nothing.

    Returns:
        Whether all thresholds are met.
    """
    table = Table(*header, title=title)
    for row in rows:
        if row:
            table.add_row(*row)
        else:
            table.add_section()
    console = Console()
    console.print(table)
    if out is None:
        console.print("quick: nothing is written, and no threshold is asked")
        return True
    for threshold in thresholds:
        console.print(threshold.line(), highlight=False)
    out.parent.mkdir(exist_ok=True)
    written = {"results": content, "thresholds": [t.json() for t in thresholds]}
    out.write_text(json.dumps(written, indent=1) + "\n")
    return all(t.met for t in thresholds)
