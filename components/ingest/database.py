"""Database tables and queries through SQLAlchemy, streamed into Parquet."""

from __future__ import annotations

import datetime
import difflib
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from components.ingest.columns import Wanted
from components.ingest.config import DataConfig
from components.ingest.part import require
from components.ingest.since import since_condition, since_query
from components.secrets import expanded, redacted
from models.errors import BadInputError

if TYPE_CHECKING:
    from pyarrow import Array
    from sqlalchemy import URL, Engine, Select, TextClause

ROWS = 50_000
"""Rows held in memory at a time."""


@dataclass(frozen=True)
class Extract:
    """What was read: Parquet files with the rows before each, the rows, their digest."""

    name: str
    files: tuple[tuple[Path, int], ...]
    rows: int
    bytes: int
    sha256: str


def source_name(data: DataConfig) -> str:
    """How messages call the source: never with a password."""
    return f"table {data.table}" if data.table is not None else "the query"


def extract(
    data: DataConfig, wanted: Wanted, base: Path, folder: Path, since: int | None = None
) -> Extract:
    """Reads the wanted columns into Parquet files in `folder`, `ROWS` rows at a time.

    The digest does not depend on the order of the rows. With `since` (a Unix second), rows before
    it may be left out, and there may be none.

    Raises:
        BadInputError: If the URL, driver, table, query or a column is wrong.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, total = source_name(data), 0
    digest, files = 0, list[tuple[Path, int]]()
    writer: pq.ParquetWriter | None = None
    try:
        for batch in _batches(data, wanted, base, since):
            digest += sum(_row_digest(row) for row in batch)
            columns = zip(*batch, strict=True)
            table = pa.table([_array(list(c)) for c in columns], names=list(wanted.all))
            if writer is None or writer.schema != table.schema:
                # Values of another type than before: a new file, not a failure.
                if writer is not None:
                    writer.close()
                files.append((folder / f"extract-{len(files):05d}.parquet", total))
                writer = pq.ParquetWriter(files[-1][0], table.schema)
            writer.write_table(table)
            total += len(batch)
    finally:
        if writer is not None:
            writer.close()
    if total == 0 and since is None:
        raise BadInputError(f"{name}: there are no rows")
    return Extract(
        name,
        tuple(files),
        total,
        sum(path.stat().st_size for path, _ in files),
        _finish(digest, total),
    )


def fingerprint(data: DataConfig, wanted: Wanted, base: Path) -> str:
    """Digest of the rows in whatever order, as in `Extract.sha256`; keeps nothing.

    Raises:
        BadInputError: As `extract`.
    """
    digest = total = 0
    for batch in _batches(data, wanted, base):
        digest += sum(_row_digest(row) for row in batch)
        total += len(batch)
    return _finish(digest, total)


def _finish(digest: int, total: int) -> str:
    return hashlib.sha256(f"{digest % 2**128} {total}".encode()).hexdigest()


def _row_digest(row: Sequence[Any]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest())


def _array(values: list[Any]) -> Array:
    """Values of one column as Arrow: numbers and times as they are, anything else as text."""
    import pyarrow as pa

    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float, bool} and kinds:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowInvalid, OverflowError):
            pass
    if kinds == {datetime.datetime} and len({v.tzinfo is None for v in values if v}) == 1:
        aware = next(v for v in values if v).tzinfo is not None
        return pa.array(values, pa.timestamp("us", tz="UTC" if aware else None))
    return pa.array([_text(v) for v in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return str(value)


def _batches(
    data: DataConfig, wanted: Wanted, base: Path, since: int | None = None
) -> Iterator[list[Any]]:
    from sqlalchemy import exc

    name = source_name(data)
    with _engine(data, base) as engine:
        try:
            with engine.connect() as connection:
                streamed = connection.execution_options(stream_results=True, yield_per=ROWS)
                result = streamed.execute(_statement(data, wanted, engine, since))
                if not result.returns_rows:
                    raise BadInputError("data.query returns no rows; expected a SELECT")
                present = list(result.keys())
                require(wanted.all, present, name)
                picked = [present.index(c) for c in wanted.all]
                for batch in result.partitions(ROWS):
                    yield [[row[i] for i in picked] for row in batch]
        except exc.SQLAlchemyError as error:
            raise BadInputError(_explained(error, data, name)) from None


def _statement(
    data: DataConfig, wanted: Wanted, engine: Engine, since: int | None
) -> TextClause | Select[Any]:
    import sqlalchemy as sa

    if data.query is not None:
        return sa.text(since_query(data.query, data, since).replace(":", r"\:"))
    assert data.table is not None
    schema, _, table = data.table.rpartition(".")
    inspector = sa.inspect(engine)
    known = inspector.get_table_names(schema or None) + inspector.get_view_names(schema or None)
    if table not in known:
        near = difflib.get_close_matches(table, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BadInputError(
            f"data.table {data.table!r}: no such table; {hint}the tables and views are: "
            f"{', '.join(sorted(known)) or 'none'}"
        )
    columns = {c["name"]: c["type"] for c in inspector.get_columns(table, schema or None)}
    require(wanted.all, list(columns), source_name(data))
    # Plain columns, not reflected ones: the values come as the database driver gives them.
    source = sa.table(table, *(sa.column(c) for c in wanted.all), schema=schema or None)
    selected = sa.select(source)
    if since is None:
        return selected
    condition = since_condition(wanted.time, columns[wanted.time], data, since)
    return selected if condition is None else selected.where(condition)


@contextmanager
def _engine(data: DataConfig, base: Path) -> Iterator[Engine]:
    import sqlalchemy as sa

    assert data.url is not None
    try:
        # Only here does ${NAME} become a password.
        url = sa.make_url(expanded(data.url))
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            # A relative file starts from the configuration's folder, as data.path does, and a
            # missing one must not be made.
            file = base / str(url.database)
            if not file.exists() and not str(url.database).startswith("file:"):
                raise BadInputError(f"data.url: the database file {file} does not exist")
            if not str(url.database).startswith("file:"):
                url = url.set(database=str(file))
        engine = sa.create_engine(url)
    except sa.exc.NoSuchModuleError:
        raise BadInputError(
            f"data.url {redacted(data.url)!r}: SQLAlchemy knows no such kind of database; "
            "expected a URL such as sqlite:///file.db or postgresql://user@host/database"
        ) from None
    except sa.exc.ArgumentError:
        raise BadInputError(
            f"data.url {redacted(data.url)!r}: no database URL; expected one such as "
            "sqlite:///file.db or postgresql://user@host/database"
        ) from None
    except ImportError as error:
        raise BadInputError(
            f"data.url {redacted(data.url)!r}: the database driver is not installed ({error}); "
            "install it, or name another one as in postgresql+psycopg://"
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()


def _explained(error: Exception, data: DataConfig, name: str) -> str:
    import sqlalchemy as sa

    cause = str(getattr(error, "orig", None) or error).strip().splitlines()
    message = cause[0] if cause else type(error).__name__
    assert data.url is not None
    for secret in _secrets(sa.make_url(expanded(data.url))):
        message = message.replace(secret, "***")
    return f"{name} of {redacted(data.url)}: {message}"


def _secrets(url: URL) -> list[str]:
    """What of a URL a driver must not be quoted with: passwords, as they are and as written."""
    values = [url.password, *url.query.values()]
    found = [str(v) for v in values if v]
    return [form for value in found for form in (value, quote_plus(value)) if len(form) > 2]
