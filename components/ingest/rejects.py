"""`Reject`: a row that cannot be used, with its place; what people are told about it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import BadInputError

FILE = "rejects.csv"
SHOWN = 5

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


def refuse(rejects: Sequence[Reject], total: int, rows: int, counts: dict[str, int]) -> None:
    """Raises a `BadInputError` that shows the first bad rows and counts all of them by reason."""
    shown = [f"  {reject}" for reject in rejects[:SHOWN]]
    if total > len(shown):
        shown.append(f"  ... and {total - len(shown)} more")
    by_reason = ", ".join(f"{reason} {count}" for reason, count in counts.items())
    advice = [f"  {reason}: {ADVICE[reason]}" for reason in counts if reason in ADVICE]
    what = "row cannot" if total == 1 else "rows cannot"
    raise BadInputError(
        "\n".join(
            [
                f"data: {total} of {rows} {what} be used ({by_reason})",
                *shown,
                *advice,
                "correct the data, or set data.on_bad_rows: drop to leave such rows out",
            ]
        )
    )


def count(rejects: Iterable[Reject]) -> dict[str, int]:
    """Rejects by reason, most frequent first."""
    return dict(Counter(reject.reason for reject in rejects).most_common())


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
