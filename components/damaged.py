"""Finds a sqlite file that is damaged, before a library says so in its own words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from models.errors import FailedRunError


def refuse_damaged(file: Path, what: str, remedy: str) -> None:
    """Refuses a database file that is none, or whose structure is broken.

    The header and the schema are read, not every page: the cost does not grow with the file.

    Args:
        file: The database; a missing or empty one is new, and well.
        what: For the message: `the tracking database`.
        remedy: What a person can do.

    Raises:
        FailedRunError: If it is damaged, or no file.
    """
    if not file.exists() or (file.is_file() and file.stat().st_size == 0):
        return
    problem = "it is not a file" if not file.is_file() else _problem(file)
    if problem:
        raise FailedRunError(f"{what} {file} is damaged ({problem}); {remedy}")


def _problem(file: Path) -> str:
    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            names = connection.execute("select name from sqlite_master where type = 'table'")
            for (name,) in names.fetchall():
                quoted = str(name).replace('"', '""')
                connection.execute(f'select 1 from "{quoted}" limit 1').fetchall()  # noqa: S608
            pages = connection.execute("pragma page_count").fetchone()[0]
            size = connection.execute("pragma page_size").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return ""  # locked, or not readable for us: whoever opens it will say so
    except sqlite3.DatabaseError as error:
        return str(error)
    wal = file.with_name(f"{file.name}-wal")
    if file.stat().st_size < pages * size and not wal.exists():
        return f"{file.stat().st_size} bytes of {pages * size} are there"
    return ""
