"""`Stage`: all rows of all parts in one DuckDB table, out of core, with the bad ones found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ingest.columns import Wanted, normalised
from components.ingest.config import DataConfig
from components.ingest.part import Part
from components.ingest.rejects import Reject
from components.ingest.sql import text
from components.ingest.times import EPOCH_UNITS
from models.errors import BadInputError, FailedRunError
from models.frequency import Frequency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1500MB"
"""DuckDB's memory; what needs more goes to disk. The process needs about as much again."""
SHOWN_VALUES = 60


@contextmanager
def connect(folder: Path) -> Iterator[DuckDBPyConnection]:
    """A DuckDB database in memory that spills into `folder`; it loads nothing from elsewhere."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns an error of DuckDB into one of ours: `what` could not be read."""
    import duckdb

    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.InternalException) as error:
        raise FailedRunError(f"{what}: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise BadInputError(f"{what}: cannot be read ({_first_line(error)})") from None


@dataclass
class Stage:
    """The table `staged`: `t`, `series`, `v0`.., `s0`.., `good`; and the parts it came from."""

    connection: DuckDBPyConnection
    data: DataConfig
    wanted: Wanted
    frequency: Frequency
    parts: list[Part] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    malformed: list[list[Reject]] = field(default_factory=list)

    def create(self) -> None:
        """Makes the empty table.

        Raises:
            BadInputError: If `data.time_format` is no format.
        """
        format_ = self.data.time_format
        if format_ is not None and format_ not in EPOCH_UNITS:
            with explained(f"data.time_format {format_!r}"):
                self.connection.execute(f"SELECT try_strptime('', {text(format_)})")
        columns = ["t BIGINT", "series VARCHAR"]
        columns += [f"v{i} FLOAT" for i in range(len(self.wanted.numbers))]
        columns += [f"s{i} VARCHAR" for i in range(len(self.wanted.statics))]
        self.connection.execute(f"CREATE TABLE staged ({', '.join(columns)}, good BOOLEAN)")

    def add(self, part: Part) -> None:
        """Reads one part into the table.

        Raises:
            BadInputError: If it cannot be read, or holds no rows at all.
        """
        select = self._select(part)
        # The order of rows is only needed to tell where a bad one is.
        self.connection.execute("SET preserve_insertion_order = false")
        with explained(part.name):
            inserted = self.connection.execute(f"INSERT INTO staged {select}").fetchall()
            bad = part.malformed(self.connection)
        if inserted[0][0] + len(bad) == 0:
            raise BadInputError(f"{part.name}: the file has no rows, only a header")
        self.parts.append(part)
        self.rows.append(int(inserted[0][0]) + len(bad))
        self.malformed.append(bad)

    def number(self, condition: str = "true") -> int:
        """Staged rows that meet an SQL condition."""
        return int(self.one(f"SELECT count(*) FROM staged WHERE {condition}")[0])

    def one(self, query: str) -> tuple[Any, ...]:
        """The first row of a query that has one."""
        # Not fetchone: DuckDB 2 takes a result with rows left for work in progress.
        row: tuple[Any, ...] = self.connection.execute(query).fetchall()[0]
        return row

    def drop(self, condition: str) -> None:
        """Removes staged rows that meet an SQL condition."""
        self.connection.execute(f"DELETE FROM staged WHERE {condition}")

    def bad_rows(self) -> list[Reject]:
        """Every malformed record and every row with a bad cell, with its place."""
        found = [reject for part in self.malformed for reject in part]
        if self.number("NOT good"):
            found += self._locate("NOT good", "reason, place, raw")
        return sorted(found)

    def rows_at(self, keys: str, reason: str) -> list[tuple[tuple[int, str], Reject]]:
        """The good rows whose (t, series) are in the table `keys`, with their places, by key."""
        rows = self._locate(
            f"good AND (t, series) IN (SELECT (t, series) FROM {keys})",
            f"{text(reason)}, {text(self.wanted.time)}, stamp, t, series",
        )
        return sorted(self._keyed.pop(reject) for reject in rows)

    def _select(self, part: Part, located: bool = False) -> str:
        return normalised(
            part.relation(located=located),
            part.types,
            self.wanted,
            self.data,
            self.frequency,
            located=located,
        )

    def _locate(self, condition: str, columns: str) -> list[Reject]:
        """Reads the parts again, in order, for the rows that meet a condition."""
        self.connection.execute("SET preserve_insertion_order = true")
        self._keyed: dict[Reject, tuple[tuple[int, str], Reject]] = {}
        found: list[Reject] = []
        for part, malformed in zip(self.parts, self.malformed, strict=True):
            with explained(part.name):
                rows = self.connection.execute(
                    f"SELECT record, {columns} FROM ({self._select(part, located=True)}) "
                    f"WHERE {condition}"
                ).fetchall()
            places = part.places([row[0] for row in rows], malformed)
            for record, reason, column, value, *key in rows:
                line, raw = places.get(record, (record, ""))
                reject = Reject(
                    part.name, line, reason, column, value or "", raw or value or "", part.unit
                )
                found.append(reject)
                if key:
                    self._keyed[reject] = ((int(key[0]), str(key[1])), reject)
        return found


def shown_ids(ids: Sequence[str]) -> str:
    """A few series ids for a message."""
    some = ", ".join(repr(i) for i in ids[:5])
    return some + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
