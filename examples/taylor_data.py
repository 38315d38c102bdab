"""Writes the electricity demand of England and Wales with its times: half-hourly, twelve weeks.

    python -m examples.taylor_data FILE

FILE is taylor.csv, one column of megawatts, as the R package forecast and the Python library
darts publish it: Monday 5 June to Sunday 27 August 2000 (J. W. Taylor, "Short-term electricity
demand forecasting using double seasonal exponential smoothing", 2003). The file has no times; they
are counted from the first half hour of that Monday. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from examples.tables import DATA, arguments, published, refuse, write

HEADER = ("time", "demand")
STEPS = 12 * 7 * 48
START = np.datetime64("2000-06-05T00:00:00")
SOURCE = "datasets/taylor.csv of the GitHub repository unit8co/darts (one column, Y)"


def rows(file: Path) -> Iterator[tuple[str, str]]:
    """Time and megawatts of each half hour."""
    values = published(file, SOURCE).read_text(encoding="utf-8").split()[1:]
    if len(values) != STEPS:
        refuse(f"{file}: got {len(values)} values, expected {STEPS}: this is not {SOURCE}.")
    for step, value in enumerate(values):
        yield str(START + step * np.timedelta64(30, "m")).replace("T", " "), value


def main() -> None:
    """Writes the table."""
    given = arguments(__doc__, DATA / "taylor.csv", file="the file taylor.csv")
    write(given.output, HEADER, rows(given.file))


if __name__ == "__main__":
    main()
