"""Writes the weekly Mauna Loa CO2 record that ships with statsmodels as a CSV file.

Source: C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography, 1958-2001; weekly means
in parts per million by volume, with the gaps of the real record. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from statsmodels.datasets import co2

TARGET = Path(__file__).resolve().parent / "data" / "co2.csv"


def main() -> None:
    """Writes the CSV, and leaves an equal file alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=TARGET)
    output: Path = parser.parse_args().output
    table = co2.load_pandas().data
    text = table.to_csv(index_label="date", na_rep="", date_format="%Y-%m-%d")
    if not output.exists() or output.read_text() != text:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
    print(f"{output}: {len(table)} weeks, {int(table['co2'].isna().sum())} of them without a value")


if __name__ == "__main__":
    main()
