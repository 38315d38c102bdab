"""`Reject`: a row that cannot be used, with its place; what people are told about it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import BadInputError

FILE = "rejects.csv"
SHOWN = 5
"""Bad rows that a message shows."""
LISTED = 200_000
"""Bad rows of a kind that `rejects.csv` lists; the counts in the report are of all of them."""
MANY = 1_000_000
"""Malformed lines of a file after which it is refused, whatever `data.on_bad_rows` says."""

MALFORMED = "malformed line"
ENCODING = "not UTF-8"
NO_TIME = "missing time"
BAD_TIME = "unparseable time"
AMBIGUOUS_TIME = "ambiguous local time"
NONEXISTENT_TIME = "non-existent local time"
SUBSECOND = "time with a fraction of a second"
FAR_TIME = "time outside the years 1700 to 2200"
NO_SERIES = "missing series id"
BAD_NUMBER = "unparseable number"
INFINITE = "infinite value"
TOO_LARGE = "value beyond float32"
OFF_GRID = "time off the grid of the frequency"
CONFLICT = "conflicting duplicate"

ADVICE = {
    MALFORMED: "check delimiter, quotes and the number of fields",
    ENCODING: "save the file as UTF-8",
    BAD_TIME: "ISO 8601 is read as it is; else set data.time_format (strptime, or s, ms, us, ns)",
    AMBIGUOUS_TIME: "clocks were put back: write stamps with a UTC offset",
    NONEXISTENT_TIME: "clocks were put forward: check data.timezone, or write UTC offsets",
    SUBSECOND: "times are kept to the second: resample the data first",
    BAD_NUMBER: "a missing value may be empty or one of data.null_values",
    INFINITE: "a missing value may be empty or one of data.null_values",
    CONFLICT: "two rows with the same series and time say different things: keep one of them",
}


@dataclass(frozen=True, order=True)
class Reject:
    """A bad row: `number` counts lines of a text file, or rows of a table, from 1."""

    source: str
    number: int
    reason: str
    column: str = ""
    value: str = ""
    raw: str = ""
    unit: str = "line"

    @property
    def place(self) -> str:
        """`file.csv:12`, or `table readings, row 12`."""
        joint = ":" if self.unit == "line" else f", {self.unit} "
        return f"{self.source}{joint}{self.number}"

    def __str__(self) -> str:
        column = f" in column {self.column!r}" if self.column else ""
        value = f": {_short(self.value)}" if self.value else ""
        return f"{self.place}: {self.reason}{column}{value}"


@dataclass
class Tally:
    """Bad rows so far: how many of each kind, the first ones of each kind, what to do by kind."""

    counts: Counter[str] = field(default_factory=Counter)
    listed: list[Reject] = field(default_factory=list)
    advice: Mapping[str, str] = field(default_factory=lambda: ADVICE)

    def add(self, listed: Sequence[Reject], counts: Mapping[str, int]) -> None:
        """Takes note of more bad rows; `listed` may be fewer than `counts` says."""
        self.counts.update(counts)
        self.listed += listed

    def by_reason(self) -> dict[str, int]:
        """Bad rows by reason, most frequent first."""
        return dict(self.counts.most_common())

    def summary(self) -> str:
        """`unparseable number 3, missing time 1`."""
        return ", ".join(f"{reason} {count}" for reason, count in self.counts.most_common())

    def refuse(self, rows: int, hint: str = "") -> None:
        """Raises a `BadInputError` that shows the first bad rows and counts all of them."""
        total = self.counts.total()
        shown = [f"  {reject}" for reject in self.listed[:SHOWN]]
        if total > len(shown):
            shown.append(f"  ... and {total - len(shown)} more")
        known = self.advice
        advice = [f"  {reason}: {known[reason]}" for reason in self.counts if reason in known]
        what = "row cannot" if total == 1 else "rows cannot"
        raise BadInputError(
            "\n".join(
                [
                    f"data: {total} of {rows} {what} be used ({self.summary()})",
                    *shown,
                    *advice,
                    *([f"  {hint}"] if hint else []),
                    "correct the data, or set data.on_bad_rows: drop to leave such rows out",
                ]
            )
        )


def write(rejects: Iterable[Reject], folder: Path) -> Path:
    """Writes `rejects.csv` (file, line, column, reason, raw), in the order of files and lines."""
    path = folder / FILE
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "line", "column", "reason", "raw"))
        for r in sorted(rejects):
            writer.writerow((r.source, r.number, r.column, r.reason, r.raw or r.value))
    return path


def _short(text: str, limit: int = 80) -> str:
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
