"""`Stage`: all rows of all parts in one DuckDB table, out of core, with the bad ones found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ingest.columns import Wanted, normalised
from components.ingest.config import DataConfig
from components.ingest.part import Part
from components.ingest.rejects import LISTED, SHOWN, Reject
from components.ingest.sql import text
from components.ingest.times import EPOCH_UNITS
from models.errors import BadInputError, FailedRunError
from models.frequency import Frequency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1500MB"
"""DuckDB's memory; what needs more goes to disk. The process needs about as much again."""


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

    def number(self, condition: str = "true", table: str = "staged") -> int:
        """Rows, of all staged ones, that meet an SQL condition."""
        return int(self.one(f"SELECT count(*) FROM {table} WHERE {condition}")[0])

    def one(self, query: str) -> tuple[Any, ...]:
        """The first row of a query that has one."""
        # Not fetchone: DuckDB 2 takes a result with rows left for work in progress.
        row: tuple[Any, ...] = self.connection.execute(query).fetchall()[0]
        return row

    def drop(self, condition: str) -> None:
        """Removes staged rows that meet an SQL condition."""
        self.connection.execute(f"DELETE FROM staged WHERE {condition}")

    @property
    def limit(self) -> int:
        """How many bad rows of a kind need their places: a few for a message, or a file of them."""
        return LISTED if self.data.on_bad_rows == "drop" else SHOWN

    def bad_rows(self) -> tuple[list[Reject], dict[str, int]]:
        """Malformed records and rows with a bad cell: the first with their places, and counts."""
        malformed = [reject for part in self.malformed for reject in part]
        counts = Counter(reject.reason for reject in malformed)
        found: list[Reject] = []
        total = self.number("NOT good")
        if total:
            found = [
                reject for _, reject in self._locate("NOT good", "reason, place, raw", self.limit)
            ]
            if total <= len(found):
                counts.update(reject.reason for reject in found)
            else:
                counts.update(self._reasons())
        return sorted(malformed + found), dict(counts)

    def bad_between(self, first: int | None) -> list[tuple[int | None, Reject]]:
        """Rows with a bad cell, with their times, where those are known and not before `first`.

        Raises:
            BadInputError: If there are more than `LISTED`.
        """
        bad = "NOT good" if first is None else f"NOT good AND (t IS NULL OR t >= {first})"
        if self.number(bad) > LISTED:
            raise BadInputError(f"data: more than {LISTED:,} bad rows; check data.time and others")
        columns = "reason, place, raw, coalesce(t, -9223372036854775808), coalesce(series, '')"
        rows = self._locate(bad, columns, LISTED)
        return [(None if t == -(2**63) else t, reject) for (t, _), reject in rows]

    def rows_at(self, keys: str, reason: str) -> list[tuple[tuple[int, str], Reject]]:
        """The good rows at the first (t, series) of the table `keys`, with their places, by key."""
        rows = self._locate(
            f"good AND (t, series) IN (SELECT (t, series) FROM {keys} ORDER BY t, series "
            f"LIMIT {self.limit})",
            f"{text(reason)}, {text(self.wanted.time)}, stamp, t, series",
            # A key may have any number of rows.
            10 * self.limit,
        )
        return sorted(rows)

    def _reasons(self) -> dict[str, int]:
        """How many rows are bad for which reason; reads the parts again."""
        counts: Counter[str] = Counter()
        for part in self.parts:
            with explained(part.name):
                rows = self.connection.execute(
                    f"SELECT reason, count(*) FROM ({self._select(part, located=True)}) "
                    "WHERE NOT good GROUP BY reason"
                ).fetchall()
            counts.update(dict(rows))
        return dict(counts)

    def _select(self, part: Part, located: bool = False) -> str:
        return normalised(
            part.relation(located=located),
            part.types,
            self.wanted,
            self.data,
            self.frequency,
            located=located,
        )

    def _locate(
        self, condition: str, columns: str, limit: int
    ) -> list[tuple[tuple[int, str], Reject]]:
        """Reads the parts again, in order, for the first rows that meet a condition."""
        self.connection.execute("SET preserve_insertion_order = true")
        found: list[tuple[tuple[int, str], Reject]] = []
        for part, malformed in zip(self.parts, self.malformed, strict=True):
            with explained(part.name):
                rows = self.connection.execute(
                    f"SELECT record, {columns} FROM ({self._select(part, located=True)}) "
                    f"WHERE {condition} LIMIT {limit - len(found)}"
                ).fetchall()
            places = part.places([row[0] for row in rows], malformed)
            for record, reason, column, value, *key in rows:
                line, raw = places.get(record, (record, ""))
                reject = Reject(
                    part.name, line, reason, column, value or "", raw or value or "", part.unit
                )
                found.append(((int(key[0]), str(key[1])) if key else (0, ""), reject))
            if len(found) >= limit:
                break
        return found


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
