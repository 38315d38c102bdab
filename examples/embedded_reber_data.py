"""Writes strings of the embedded Reber grammar: a row per symbol, parts without a common string.

    python -m examples.embedded_reber_data

The second symbol of a string comes back as its second-last one; what is between them says nothing
about it. Hochreiter and Schmidhuber (1997) train on 256 strings; here are more, all different.
"""

from __future__ import annotations

from examples.grammars.reber import EMBEDDED_REBER
from examples.grammars.strings_table import HEADER, disjoint, rows
from examples.tables import DATA, arguments, write

SIZES = {"train": 2048, "validation": 256, "test": 512}
SEED = 7


def main() -> None:
    """Writes the table."""
    given = arguments(__doc__, DATA / "embedded_reber.csv")
    write(given.output, HEADER, rows(disjoint(EMBEDDED_REBER, SIZES, SEED)))


if __name__ == "__main__":
    main()
