"""Writes the adding problem as one long series: 100 steps of (value, marker), then the sum.

    python -m examples.adding_problem_data

The task is that of S. Hochreiter and J. Schmidhuber, "Long short-term memory" (Neural Computation,
1997, experiment 4), in the form of J. Martens and I. Sutskever (2011) that later papers use: values
are uniform between 0 and 1, two of the 100 are marked, one in each half, and the target is
the sum of these two. Who always answers 1 has a mean squared error of 1/6.

A block is 101 rows, a second apart. Its last row holds the sum. With `lookback: 100`, `horizon: 1`
and `stride: 101` a window is one block: it reads the 100 pairs and forecasts the sum, and no window
reads two blocks. In the rows before, the target changes between 1 - s and 1 + s, where s*s is 1/6:
it says nothing about the sum, and has its mean and variance, so that the scaling fits.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from examples.tables import DATA, arguments, write

STEPS = 100
BLOCKS = {"train": 5000, "validation": 500, "test": 500}
SEED = 7
HEADER = ("time", "value", "marker", "sum")


def blocks(count: int, seed: int, steps: int = STEPS) -> npt.NDArray[np.float64]:
    """float64 `[count, steps + 1, 3]`: value, marker and sum of each row."""
    rng = np.random.default_rng(seed)
    table = np.zeros((count, steps + 1, 3))
    table[:, :steps, 0] = rng.random((count, steps)).round(6)
    half = steps // 2
    marks = np.stack([rng.integers(half, size=count), rng.integers(half, steps, size=count)])
    table[np.arange(count), marks, 1] = 1
    table[:, :steps, 2] = 1 + np.sqrt(1 / 6) * (-1.0) ** np.arange(steps)
    table[:, steps, 2] = (table[:, :steps, 0] * table[:, :steps, 1]).sum(axis=1)
    return table


def rows(table: npt.NDArray[np.float64]) -> Iterator[tuple[str, ...]]:
    """The rows of the long series."""
    start = np.datetime64("2000-01-01T00:00:00")
    for second, (value, marker, total) in enumerate(table.reshape(-1, 3)):
        stamp = str(start + np.timedelta64(second, "s")).replace("T", " ")
        yield stamp, f"{value:.6f}", f"{marker:.0f}", f"{total:.6f}"


def main() -> None:
    """Writes the table."""
    given = arguments(__doc__, DATA / "adding_problem.csv")
    write(given.output, HEADER, rows(blocks(sum(BLOCKS.values()), SEED)))


if __name__ == "__main__":
    main()
