"""The access log: a JSON object on one line for each request, never its data."""

from __future__ import annotations

import json
import logging
import logging.handlers
import random
import re
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from serving.server.errors import StartError
from serving.server.settings import AccessLogSettings

_OWN_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LONGEST_NAME = 256


@dataclass(frozen=True)
class Access:
    """What is written down of a request.

    Attributes:
        protocol: `rest` or `grpc`.
        method: Such as Predict; REST: the HTTP method and, for inference, the method in the URL.
        model: As asked for.
        version: That answered, or that was asked for; None if neither is known.
        status: gRPC's name of the code, or the number of the HTTP status.
        ok: Whether it went well.
        seconds: From the request's arrival to its answer.
        received: Bytes of the request's message.
        sent: Bytes of the answer's message.
        peer: Address of the client.
        request_id: The client's own (`x-request-id`), or made here.
    """

    protocol: str
    method: str
    model: str
    version: int | None
    status: str | int
    ok: bool
    seconds: float
    received: int
    sent: int
    peer: str
    request_id: str


def request_id(given: str | None) -> str:
    """`given`, if a client's own id may be written down as it is, else a new one."""
    if given is not None and _OWN_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex


class AccessLog:
    """Writes requests down, to a file or stderr.

    A file that somebody moves away (logrotate) is opened anew. A request is never refused because
    it cannot be written down: the first failure is told on stderr, and the log goes on trying.

    Raises:
        StartError: If the file cannot be opened.
    """

    def __init__(self, settings: AccessLogSettings) -> None:
        self._sample = settings.sample
        self._handler = _handler(settings.destination)

    @property
    def enabled(self) -> bool:
        """Whether anything is written at all; what to write need not be found out otherwise."""
        return self._handler is not None

    def write(self, access: Access) -> None:
        """Writes one line, unless the sample leaves it out; failed requests are never left out."""
        if self._handler is None:
            return
        if access.ok and self._sample < 1 and random.random() >= self._sample:  # noqa: S311
            return
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "protocol": access.protocol,
            "method": access.method[:_LONGEST_NAME],
            "model": access.model[:_LONGEST_NAME],
            "version": access.version,
            "status": access.status,
            "milliseconds": round(access.seconds * 1000, 3),
            "received_bytes": access.received,
            "sent_bytes": access.sent,
            "peer": access.peer,
            "request_id": access.request_id,
        }
        text = json.dumps(line, ensure_ascii=True, separators=(",", ":"))
        self._handler.handle(logging.LogRecord("access", 0, "", 0, text, None, None))

    def close(self) -> None:
        """Writes out what is left."""
        if self._handler is not None:
            self._handler.close()


def _handler(destination: str | None) -> logging.Handler | None:
    if destination is None:
        return None
    if destination == "-":
        return _Stderr(sys.stderr)
    try:
        return _File(Path(destination), encoding="utf-8")
    except OSError as error:
        raise StartError(
            f"cannot write the access log {destination}: {error.strerror or error}"
        ) from None


class _Failure:
    """Says once that the log cannot be written, where logging would print a traceback each time."""

    told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        del record
        if not self.told:
            self.told = True
            error = sys.exc_info()[1]
            print(f"warning: the access log cannot be written: {error}", file=sys.stderr)


class _File(_Failure, logging.handlers.WatchedFileHandler):
    pass


class _Stderr(_Failure, logging.StreamHandler):  # type: ignore[type-arg]
    pass
