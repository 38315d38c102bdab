"""Parquet files (and database tables, which arrive as Parquet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.part import Columns, literal_path, require
from components.ingest.rejects import Reject
from components.ingest.sql import identifier, text
from models.errors import BadInputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class WholeParquet:
    """What all Parquet files have in common as parts: they are read whole or not at all.

    Attributes:
        path: The file.
        name: How messages call it.
        types: DuckDB type by wanted column.
    """

    path: Path
    name: str
    types: Mapping[str, str]

    def scanned(self, select: str, *, located: bool) -> str:
        """SQL in parentheses of `select` from the file; with `located`, with `record` from 1 on."""
        record = ", file_row_number + 1 AS record" if located else ""
        option = ", file_row_number=true" if located else ""
        scan = f"read_parquet({text(literal_path(self.path))}{option})"
        return f"(SELECT {select}{record} FROM {scan})"

    def malformed(
        self,
        connection: DuckDBPyConnection,  # noqa: ARG002
        *,
        located: bool = False,  # noqa: ARG002
    ) -> list[Reject]:
        """See `Part`: there are none."""
        return []

    def places(
        self,
        records: Sequence[int],
        malformed: Sequence[Reject],  # noqa: ARG002
    ) -> dict[int, tuple[int, str]]:
        """See `Part`."""
        return {record: (record, "") for record in records}


@dataclass(frozen=True)
class ParquetPart(WholeParquet):
    """A Parquet file; `offset` rows of the same table came before it."""

    wanted: Columns
    offset: int = 0

    unit = "row"

    @classmethod
    def read_schema(
        cls,
        connection: DuckDBPyConnection,
        path: Path,
        name: str,
        wanted: Columns,
        offset: int = 0,
    ) -> ParquetPart:
        """The file with its columns.

        Raises:
            BadInputError: If it is no Parquet file or lacks a wanted column.
        """
        import duckdb

        try:
            rows = connection.execute(
                f"DESCRIBE SELECT * FROM read_parquet({text(literal_path(path))})"
            ).fetchall()
        except duckdb.Error as error:
            raise BadInputError(
                f"{name}: cannot be read as Parquet ({str(error).splitlines()[0]}); "
                "write the file again"
            ) from None
        types = {row[0]: row[1] for row in rows}
        require(wanted.all, tuple(types), name)
        return cls(path, name, {c: types[c] for c in wanted.all}, wanted, offset)

    def relation(self, *, located: bool = False) -> str:
        """See `Part`."""
        select = ", ".join(f"{identifier(c)} AS {self.wanted.alias(c)}" for c in self.wanted.all)
        return self.scanned(select, located=located)

    def places(
        self,
        records: Sequence[int],
        malformed: Sequence[Reject],  # noqa: ARG002
    ) -> dict[int, tuple[int, str]]:
        """See `Part`."""
        return {record: (record + self.offset, "") for record in records}
