"""Whether a tracking store is away for a while, or refuses what it was asked."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from models.errors import FailedRunError

CONNECT_SECONDS = 5.0
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_REFUSALS = frozenset(
    {
        "BAD_REQUEST",
        "FEATURE_DISABLED",
        "INVALID_PARAMETER_VALUE",
        "INVALID_STATE",
        "NOT_IMPLEMENTED",
        "RESOURCE_ALREADY_EXISTS",
        "RESOURCE_CONFLICT",
        "RESOURCE_DOES_NOT_EXIST",
    }
)
"""Codes with which a store that works says no: asking again later would not help."""
_REASONS = (
    ("connection refused", "connection refused"),
    ("failed to resolve", "the name of its host is not known"),
    ("name or service not known", "the name of its host is not known"),
    ("no route to host", "there is no way to its host"),
    ("network is unreachable", "the network cannot be reached"),
    ("connection reset", "it broke the connection off"),
    ("remote end closed connection", "it broke the connection off"),
    ("timed out", "no answer in time"),
    ("database is locked", "the database is locked"),
)
_BROKEN = ("database is locked", "disk image is malformed", "not a database", "disk i/o error")


class StoreAwayError(FailedRunError):
    """The tracking store does not answer now; it may later.

    Attributes:
        reason: Why, without what was attempted.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


def is_outage(error: BaseException) -> bool:
    """Whether `error`, raised by MLflow, says that the store is away rather than that it refuses.

    A server that no longer takes the credentials counts as away, too: a token that has run out in
    mid-training is no reason to lose the training.
    """
    for link in _chain(error):
        code = str(getattr(link, "error_code", ""))
        if code:
            return code not in _REFUSALS or _broken(error)
    return True  # of the database, of the network, of the file system


def plain_reason(error: BaseException) -> str:
    """Why a server does not answer, in a few words; empty if they are not known.

    What MLflow quotes is the whole pile of its HTTP library's errors.
    """
    text = " ".join(str(link).lower() for link in _chain(error))
    return next((words for sign, words in _REASONS if sign in text), "")


def refuse_dead_host(address: str) -> None:
    """Finds out soon whether anything listens where the database `address` is.

    MLflow tries for minutes to open a database whose server is down.

    Raises:
        StoreAwayError: If nothing does.
    """
    scheme = address.partition(":")[0].partition("+")[0].lower()
    if scheme not in _PORTS:
        return
    import sqlalchemy as sa

    url = sa.make_url(address)
    host = url.host
    if not host or host.startswith("/"):
        return  # a socket in the file system
    port = url.port or _PORTS[scheme]
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        words = error.strerror or str(error) or type(error).__name__
        raise StoreAwayError(f"nothing answers on {host}:{port}: {words}") from None


def _broken(error: BaseException) -> bool:
    """Whether a database file is locked or damaged; MLflow calls the latter a bad request."""
    return any(words in str(link).lower() for link in _chain(error) for words in _BROKEN)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
