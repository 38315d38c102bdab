"""`Part`: one file (or table) as DuckDB sees it, and where its bad records are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from components.ingest.rejects import MANY, Reject
from models.errors import BadInputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Columns(Protocol):
    """The columns that a task needs of a source."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, each once."""

    def alias(self, column: str) -> str:
        """What SQL calls a raw column."""


class Part(Protocol):
    """One file or table to read."""

    @property
    def name(self) -> str:
        """How messages call it."""

    @property
    def unit(self) -> str:
        """What a place in it is counted in: `line` or `row`."""

    @property
    def types(self) -> Mapping[str, str]:
        """DuckDB type by wanted column."""

    def relation(self, *, located: bool = False) -> str:
        """SQL in parentheses of the raw rows; with `located`, also their number, `record`."""

    def malformed(self, connection: DuckDBPyConnection, *, located: bool = False) -> list[Reject]:
        """The records that are no rows; to be asked after a scan of `relation(located=...)`."""

    def places(
        self, records: Sequence[int], malformed: Sequence[Reject]
    ) -> dict[int, tuple[int, str]]:
        """By record: its line (or row) counted from 1, and its raw text (or nothing)."""


def require(wanted: Iterable[str], present: Sequence[str], name: str, where: str = "") -> None:
    """Checks that every wanted column is there, once.

    Raises:
        BadInputError: If one is missing (with the nearest name) or there twice.
    """
    for column in wanted:
        if column not in present:
            lower = {p.lower(): p for p in reversed(present)}
            near = difflib.get_close_matches(column.lower(), lower, n=1, cutoff=0.5)
            hint = f"did you mean {lower[near[0]]!r}? " if near else ""
            raise BadInputError(
                f"{name}{where}: no column {column!r}; {hint}the columns are: "
                f"{', '.join(present) or 'none'}"
            )
        if list(present).count(column) > 1:
            raise BadInputError(f"{name}{where}: column {column!r} is there more than once")


def refuse_many(connection: DuckDBPyConnection, table: str, line: str, name: str) -> None:
    """Checks that the table of bad lines is short enough to be listed in memory.

    Raises:
        BadInputError: If it is not: then the file as a whole is not what it should be.
    """
    count = connection.execute(f"SELECT count(DISTINCT {line}) FROM {table}").fetchall()[0][0]
    if count > MANY:
        raise too_many(name)


def too_many(name: str) -> BadInputError:
    """The error about a file that is malformed as a whole."""
    return BadInputError(
        f"{name}: more than {MANY:,} malformed lines; check data.format and data.delimiter"
    )


def literal_path(path: object) -> str:
    """A path that DuckDB does not take for a glob."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
