"""`Sink`: an output file that appears when it is whole, or not at all."""

from __future__ import annotations

import csv as csv_lines
import gzip
import io
import os
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

from models.errors import BadInputError

if TYPE_CHECKING:
    import pyarrow as pa

CSV = (".csv", ".csv.gz")
PARQUET = (".parquet", ".pq")


class Writer(Protocol):
    """Writes tables of one schema, one after another."""

    def write_table(self, table: pa.Table) -> None:
        """Writes more rows."""

    def close(self) -> None:
        """Writes what ends the file."""


class Sink(AbstractContextManager["Sink"]):
    """Writes tables to a file beside `path`, which takes its place when the block ends well.

    Args:
        path: CSV (also `.csv.gz`) or Parquet, by its ending.
        work: Folder on the same file system for the file while it is written.
        dates: Whether times are written as dates in CSV; Parquet keeps their type.

    Raises:
        BadInputError: If the ending is unknown.
    """

    def __init__(self, path: Path, work: Path, *, dates: bool) -> None:
        self._path, self._dates = path, dates
        self._part = work / f"output{output_kind(path)}"
        self._file: BinaryIO | None = None
        self._writer: Any = None

    def write(self, table: pa.Table) -> None:
        """Adds rows."""
        if self._writer is None:
            self._file = self._part.open("wb")
            self._writer = _open(self._file, output_kind(self._path), table.schema, self._dates)
        self._writer.write_table(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is None or self._file is None:
            return
        try:
            self._writer.close()
            if error is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()
        if error is None:
            self._part.replace(self._path)


class Stream(AbstractContextManager["Stream"]):
    """Writes tables as CSV to an open stream, such as the standard output."""

    def __init__(self, stream: BinaryIO, *, dates: bool) -> None:
        self._stream, self._dates = stream, dates
        self._writer: Any = None

    def write(self, table: pa.Table) -> None:
        """Adds rows."""
        if self._writer is None:
            self._writer = CsvWriter(self._stream, table.schema, self._dates)
        self._writer.write_table(table)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None and error is None:
            self._writer.close()
            self._stream.flush()


class CsvWriter:
    """CSV with a header; text is quoted only where it has to be.

    Args:
        stream: Where to.
        schema: Of the tables.
        dates: Whether times are written as dates.
    """

    def __init__(self, stream: Any, schema: pa.Schema, dates: bool) -> None:
        import pyarrow as pa
        from pyarrow import csv

        if dates:
            schema = pa.schema(
                [f.with_type(pa.date32()) if pa.types.is_timestamp(f.type) else f for f in schema]
            )
        self._schema = schema
        # PyArrow quotes every name in a header.
        header = io.StringIO()
        csv_lines.writer(header, lineterminator="\n").writerow(schema.names)
        stream.write(header.getvalue().encode())
        options = csv.WriteOptions(quoting_style="needed", include_header=False)
        self._writer = csv.CSVWriter(stream, schema, write_options=options)

    def write_table(self, table: pa.Table) -> None:
        """Writes more rows."""
        self._writer.write_table(table.cast(self._schema))

    def close(self) -> None:
        """Writes what is left; the stream stays open."""
        self._writer.close()


def output_kind(path: Path) -> str:
    """The ending of `path` by which its format is known.

    Raises:
        BadInputError: If it is none of those that can be written.
    """
    name = path.name.lower()
    for ending in (*reversed(CSV), *PARQUET):
        if name.endswith(ending):
            return ending
    raise BadInputError(
        f"--output {path}: cannot tell the format from the ending; expected one of "
        f"{', '.join((*CSV, *PARQUET))}"
    )


def _open(file: BinaryIO, kind: str, schema: pa.Schema, dates: bool) -> Writer:
    if kind in PARQUET:
        import pyarrow.parquet as pq

        writer: Writer = pq.ParquetWriter(file, schema, compression="zstd")
        return writer
    if kind == ".csv":
        return CsvWriter(file, schema, dates)
    return _GzippedCsv(file, schema, dates)


class _GzippedCsv(CsvWriter):
    def __init__(self, file: BinaryIO, schema: pa.Schema, dates: bool) -> None:
        self._stream = gzip.GzipFile(fileobj=file, mode="wb", mtime=0)
        super().__init__(self._stream, schema, dates)

    def close(self) -> None:
        super().close()
        self._stream.close()
