"""Writes strings of the Reber grammar: a row per symbol, parts without a common string.

python -m examples.reber_data
"""

from __future__ import annotations

from examples.grammars.reber import REBER
from examples.grammars.strings_table import HEADER, disjoint, rows
from examples.tables import DATA, arguments, write

SIZES = {"train": 256, "validation": 128, "test": 256}
SEED = 7


def main() -> None:
    """Writes the table."""
    given = arguments(__doc__, DATA / "reber.csv")
    write(given.output, HEADER, rows(disjoint(REBER, SIZES, SEED)))


if __name__ == "__main__":
    main()
