"""Finds a sqlite file that is damaged or locked, before a library says so in its own words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from models.errors import FailedRunError


def refuse_damaged(file: Path, what: str, remedy: str) -> None:
    """Refuses a database file that is none, or whose structure is broken.

    The header and the first page of every table are read, not all pages: the cost does not grow
    with the file.

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


def refuse_locked(file: Path, what: str, *, timeout: float = 10.0) -> None:
    """Refuses a database file that another process keeps from being written.

    ML Metadata would try for minutes, then speak of concurrent writes.

    Args:
        file: The database; a missing one is well.
        what: For the message.
        timeout: Seconds to wait for the other process.

    Raises:
        FailedRunError: If it cannot be written by then.
    """
    if problem := lock_problem(file, what, timeout=timeout):
        raise FailedRunError(f"{problem}, then run again")


def lock_problem(file: Path, what: str, *, timeout: float) -> str:
    """What keeps `file` from being written, and what to do about it; empty if nothing does.

    Args:
        file: The database; a missing one is well.
        what: For the message.
        timeout: Seconds to wait for another process.
    """
    if not file.is_file():
        return ""
    try:
        connection = sqlite3.connect(file, timeout=timeout, isolation_level=None)
        try:
            connection.execute("begin immediate")
            connection.execute("rollback")
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return (
                f"{what} {file} is locked by another process and still was after {timeout:g} s; "
                "find it (fuser or lsof names it), end it or wait for it"
            )
        return (
            f"{what} {file} cannot be written: {error}; make it and its folder writable, and see "
            "that the disk has space"
        )
    return ""


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
    there = file.stat().st_size
    if there < pages * size and not wal.exists():
        return f"{there} bytes of {pages * size} are there"
    return ""
