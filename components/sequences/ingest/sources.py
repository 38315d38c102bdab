"""The files of a sequence task, each with its split where that is known, and how to read them."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.csv_part import DELIMITERS, CsvPart
from components.ingest.files import SourceFile, matching
from components.ingest.jsonl_part import JsonlPart
from components.ingest.parquet_part import ParquetPart
from components.ingest.part import Part, require
from components.sequences.config import SequenceDataConfig, SplitFiles
from components.sequences.ingest.columns import SequenceColumns
from models.errors import BadInputError
from models.windows.store import SPLITS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE = 200
"""Lines looked at to tell the delimiter of a file without a header."""
_LINE_LIMIT = 1 << 22


@dataclass(frozen=True)
class Source:
    """A file, the split of its rows (None: not known by the file), and what its row ids begin with.

    Row ids go by the file's name below the folder of all files of the split, so that they do not
    change when the data is moved.
    """

    file: SourceFile
    split: str | None
    prefix: str


def find(data: SequenceDataConfig, base: Path, *, called: str = "data.path") -> list[Source]:
    """The files that `data.path` names, by split and name; each is read once, for its digest.

    Args:
        data: Where they are.
        base: The folder that relative paths start from.
        called: What messages call the path.

    Raises:
        BadInputError: If nothing matches, a file is in two splits, or one is empty, broken or of
            unknown format.
    """
    if not isinstance(data.path, SplitFiles):
        return _sources(data.path, data, base, None, called)
    found: list[Source] = []
    for split in SPLITS:
        path = getattr(data.path, split)
        if path is not None:
            found += _sources(path, data, base, split, f"{called}.{split}")
    names = [source.file.path.resolve() for source in found]
    for source, name in zip(found, names, strict=True):
        if names.count(name) > 1:
            raise BadInputError(f"data.path: {source.file.name} is in two splits")
    return found


def read(
    source: Source,
    index: int,
    data: SequenceDataConfig,
    columns: SequenceColumns,
    connection: DuckDBPyConnection,
) -> Part:
    """The part of one file.

    Raises:
        BadInputError: If it cannot be read or lacks a column.
    """
    file = source.file
    if file.format == "parquet":
        return ParquetPart.read_schema(connection, file.path, file.name, columns)
    if file.format == "jsonl":
        return JsonlPart.read_names(file, columns, index)
    if data.header:
        part = CsvPart.read_header(file, data.delimiter, columns, index)
    else:
        part = _headless(file, data, columns, index)
    return dataclasses.replace(part, quoted=_quoted(data, part.delimiter))


def _sources(
    path: str, data: SequenceDataConfig, base: Path, split: str | None, called: str
) -> list[Source]:
    files = matching(path, data.format, base, called=called)
    before = "" if split is None else f"{split}:"
    if len(files) == 1:
        return [Source(files[0], split, before)]
    folder = os.path.commonpath([file.path.parent for file in files])
    return [
        Source(file, split, f"{before}{file.path.relative_to(folder).as_posix()}:")
        for file in files
    ]


def _quoted(data: SequenceDataConfig, delimiter: str) -> bool:
    # The media type text/tab-separated-values knows no quotes, and texts hold lone ones.
    return data.quote == "double" or (data.quote == "auto" and delimiter != "\t")


def _headless(
    file: SourceFile, data: SequenceDataConfig, columns: SequenceColumns, index: int
) -> CsvPart:
    with file.open() as stream:
        first = [line for line in islice(stream, SAMPLE) if line.strip()]
    lines = [line.decode("utf-8-sig", "replace").rstrip("\r\n") for line in first]
    if not lines:
        raise BadInputError(f"{file.name}: the first {SAMPLE} lines are blank; expected rows")
    candidates = DELIMITERS if data.delimiter == "auto" else (data.delimiter,)
    counts = {d: _fields(lines, d, _quoted(data, d)) for d in candidates}
    # The one that cuts every line into the same fields, no more than needed.
    fits = {
        d: n[0]
        for d, n in counts.items()
        if len(set(n)) == 1 and set(columns.all) <= set(_names(n[0]))
    }
    if len(candidates) > 1 and not fits:
        found = ", ".join(f"{d!r}: {min(n)} to {max(n)}" for d, n in counts.items())
        raise BadInputError(
            f"{file.name}: cannot tell the delimiter: none cuts every one of the first lines into "
            f"the same number of fields with {', '.join(columns.all)} among them (fields by "
            f"delimiter: {found}); without a header columns are called c1, c2, ...; set "
            "data.delimiter"
        )
    delimiter = min(fits, key=lambda d: fits[d], default=candidates[0])
    names = _names(counts[delimiter][0])
    require(columns.all, names, file.name)
    return CsvPart(file, names, delimiter, columns, index, named=False)


def _names(fields: int) -> tuple[str, ...]:
    return tuple(f"c{i + 1}" for i in range(fields))


def _fields(lines: Sequence[str], delimiter: str, quoted: bool) -> list[int]:
    csv.field_size_limit(_LINE_LIMIT)
    rows = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    )
    return [len(row) for row in rows]
