"""A first look at an unknown table: its columns and what each could be."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ingest.config import DataConfig
from components.ingest.files import SourceFile, find
from models.errors import BadInputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M",
    "%Y%m%d%H",
    "%Y%m%d",
    "%Y-%m",
    "%b %Y",
    "%d %b %Y",
)
"""Formats tried on text that is not ISO 8601; the first that reads most of it wins."""

_EPOCHS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_1980, _2100 = 315_532_800, 4_102_444_800
_SAMPLE = 20_000
_DELIMITERS = (",", ";", "\t", "|")
_NUMERIC = ("INT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN")


@dataclass(frozen=True)
class Column:
    """What one column holds.

    Attributes:
        name: Its name.
        type: DuckDB type as read; text files have VARCHAR only.
        present: Values that are not missing.
        distinct: Different values, about.
        numeric: Whether (nearly) all present values are numbers.
        varies: Whether a numeric column has more than one value.
        time_format: How it reads as time: `iso`, a strptime format, s, ms, us or ns; None: not.
    """

    name: str
    type: str
    present: int
    distinct: int
    numeric: bool
    varies: bool
    time_format: str | None


@dataclass(frozen=True)
class Table:
    """An unknown table, open for questions: the view `source`, in which missing values are null."""

    connection: DuckDBPyConnection
    files: tuple[SourceFile, ...]
    rows: int
    columns: tuple[Column, ...]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows that answer `sql`."""
        return self.connection.execute(sql).fetchall()

    def seconds(self, column: Column) -> str:
        """SQL of the Unix second of a time column."""
        c = quote(column.name)
        if column.time_format in _EPOCHS:
            return f"(try_cast({c} AS BIGINT) // {_EPOCHS[column.time_format]})"
        return f"epoch_us({_stamp(c, column.type, column.time_format)}) // 1000000"


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def opened(path: str, base: Path) -> Iterator[Table]:
    """The table in the files of `path` (a file or a glob), with every column looked at.

    Args:
        path: CSV(.gz), Parquet or JSON lines, as for `data.path`.
        base: The folder that a relative path starts from.

    Raises:
        BadInputError: If no file is found, or what is found is no table with rows.
    """
    import duckdb

    data = DataConfig(path=path, time="?", frequency="D")
    files = tuple(find(data, base))
    formats = {file.format for file in files}
    if len(formats) > 1:
        raise BadInputError(f"{path}: files of several formats: {', '.join(sorted(formats))}")
    with duckdb.connect(":memory:", config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            _view(connection, files, data.null_values)
            (rows,) = connection.execute("SELECT count(*) FROM source").fetchall()[0]
        except duckdb.Error as error:
            first = str(error).split("\n")[0]
            raise BadInputError(f"{files[0].name}: cannot be read as a table: {first}") from None
        if rows == 0:
            raise BadInputError(f"{files[0].name}: a table without rows; there is only a header")
        described = connection.execute("DESCRIBE source").fetchall()
        columns = tuple(_column(connection, name, type_) for name, type_, *_ in described)
        yield Table(connection, files, rows, columns)


def _view(
    connection: DuckDBPyConnection, files: tuple[SourceFile, ...], null_values: tuple[str, ...]
) -> None:
    paths = [str(file.path) for file in files]
    # A view takes no parameters, hence names and paths as SQL text.
    listed = ", ".join(_text(path) for path in paths)
    if files[0].format == "csv":
        scan = (
            f"read_csv([{listed}], all_varchar=true, header=true, "
            f"delim={_text(_delimiter(files[0]))}, quote='\"', escape='\"', nullstr='', "
            "union_by_name=true, ignore_errors=true)"
        )
    elif files[0].format == "parquet":
        scan = f"read_parquet([{listed}], union_by_name=true)"
    else:
        scan = f"read_json([{listed}], format='newline_delimited', union_by_name=true)"
    connection.execute(f"CREATE VIEW raw AS SELECT * FROM {scan}")
    nulls = ", ".join(_text(value) for value in null_values)
    select = [
        f"CASE WHEN trim({quote(n)}) NOT IN ({nulls}) THEN {quote(n)} END AS {quote(n)}"
        if type_ == "VARCHAR"
        else quote(n)
        for n, type_, *_ in connection.execute("DESCRIBE raw").fetchall()
    ]
    connection.execute(f"CREATE VIEW source AS SELECT {', '.join(select)} FROM raw")


def _delimiter(file: SourceFile) -> str:
    with file.open() as stream:
        try:
            first = stream.readline(1 << 20).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInputError(f"{file.name}:1: not UTF-8 text; save the file as UTF-8") from None
    return max(_DELIMITERS, key=lambda d: len(next(csv.reader([first], delimiter=d), [])))


def _column(connection: DuckDBPyConnection, name: str, type_: str) -> Column:
    c = quote(name)
    number = c if type_ != "VARCHAR" else f"try_cast({c} AS DOUBLE)"
    numeric = type_ == "VARCHAR" or type_.startswith(("U", *_NUMERIC)) or "INT" in type_
    extremes = f"count({number}), min({number})::DOUBLE, max({number})::DOUBLE"
    present, distinct, numbers, low, high = connection.execute(
        f"SELECT count({c}), approx_count_distinct({c}), "
        f"{extremes if numeric else '0, NULL, NULL'} FROM source"
    ).fetchall()[0]
    is_number = numeric and present > 0 and numbers >= 0.95 * present
    return Column(
        name,
        type_,
        present,
        distinct,
        is_number,
        bool(is_number and low != high),
        _time_format(connection, c, type_, present, (low, high) if is_number else None),
    )


def _time_format(
    connection: DuckDBPyConnection,
    c: str,
    type_: str,
    present: int,
    extremes: tuple[float, float] | None,
) -> str | None:
    if type_.startswith(("TIMESTAMP", "DATE")):
        return "iso" if present else None
    if present == 0 or type_ not in ("VARCHAR", "BIGINT", "INTEGER", "UBIGINT", "UINTEGER"):
        return None
    if type_ == "VARCHAR" and extremes is None:
        return _first_that_reads(connection, c, ("iso", *FORMATS))
    if type_ == "VARCHAR" and extremes is not None and 1e7 < extremes[0] <= extremes[1] < 1e14:
        dates = [f for f in FORMATS if f.startswith("%Y%m%d") and ":" not in f]
        if found := _first_that_reads(connection, c, tuple(dates)):
            return found
    if extremes is not None:
        for unit, factor in _EPOCHS.items():
            if _1980 * factor <= extremes[0] and extremes[1] <= _2100 * factor:
                return unit
    return None


def _first_that_reads(
    connection: DuckDBPyConnection, c: str, formats: tuple[str, ...]
) -> str | None:
    sample = f"(SELECT {c} FROM source WHERE {c} IS NOT NULL LIMIT {_SAMPLE})"
    counts = ", ".join(f"count({_stamp(c, 'VARCHAR', f)})" for f in formats)
    total, *read = connection.execute(f"SELECT count(*), {counts} FROM {sample}").fetchall()[0]
    best = max(range(len(formats)), key=lambda i: (read[i], -i))
    return formats[best] if read[best] >= 0.95 * total else None


def _stamp(c: str, type_: str, format_: str | None) -> str:
    if type_ != "VARCHAR":
        return f"{c}::TIMESTAMP"
    if format_ == "iso":
        return f"try_cast({c} AS TIMESTAMPTZ)"
    return f"try_strptime({c}, {_text(str(format_))})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
