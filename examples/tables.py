"""What the data scripts share: a published file to read, a table to write."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

DATA = Path(__file__).resolve().parent / "data"
PARTS = ("train", "validation", "test")
"""Values of the column `part`, where a table is split by a column."""


def published(path: Path, source: str) -> Path:
    """`path` if it is there; else the process ends in words that say where it is published.

    Args:
        path: A file or folder that the caller asked for.
        source: Who publishes it, as the end of a sentence.
    """
    if not path.exists():
        refuse(
            f"{path} is not there. Nothing is downloaded here: the data is published as {source}. "
            "Fetch it from there and give its path."
        )
    return path


def refuse(words: str) -> NoReturn:
    """Ends the process with one readable paragraph."""
    raise SystemExit(words)


def arguments(what: str | None, default: Path, **inputs: str) -> argparse.Namespace:
    """The command line of a data script: the inputs in order, then where to write.

    Args:
        what: The script's docstring.
        default: The table's place.
        inputs: By name, what to give there.
    """
    parser = argparse.ArgumentParser(
        description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, words in inputs.items():
        parser.add_argument(name, type=Path, help=words)
    parser.add_argument("--output", type=Path, default=default, help="default: %(default)s")
    return parser.parse_args()


def write(output: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes the CSV and says so; an equal file is left alone, so that nothing runs again."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    count = 0
    for row in rows:
        table.writerow(row)
        count += 1
    content = text.getvalue()
    if not output.exists() or output.read_text(encoding="utf-8") != content:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(content, encoding="utf-8")
    print(f"{output}: {count} rows")
