"""`RestDoor`: token, number of requests and access log around the REST application."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.server.access_log import Access, AccessLog, request_id
from serving.server.door import Door
from serving.status import Code, ServingError

_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d{1,19})|/labels/[^/:]+)?"
    r"(?::(?P<method>\w+)|/(?P<metadata>metadata))?/?"
)
_HTTP = {Code.UNAUTHENTICATED: 401, Code.RESOURCE_EXHAUSTED: 429}
SERVED = "elman.served_version"
"""Key of the scope under which the application may leave the version that answered."""


class RestDoor:
    """An ASGI application around another.

    Args:
        app: Answers the requests that come in.
        door: Decides which do.
        log: Writes all of them down.
    """

    def __init__(self, app: ASGIApp, door: Door, log: AccessLog) -> None:
        self._app = app
        self._door = door
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; anything but HTTP goes through as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._door)
        try:
            try:
                self._door.check(exchange.header(b"authorization"))
                with self._door.admitted():
                    await self._app(scope, exchange.receive, exchange.send)
            except ServingError as error:
                if exchange.status is not None or error.code not in _HTTP:
                    raise
                await exchange.refuse(error)
        finally:
            if self._log.enabled:
                self._log.write(exchange.access())


class _Exchange:
    """One request and its answer, on their way through."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, door: Door) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._door = door
        self._start = time.monotonic()
        self._received = 0
        self._sent = 0
        self._id = request_id(self.header(b"x-request-id"))
        self.status: int | None = None

    def header(self, name: bytes) -> str | None:
        headers: Iterable[tuple[bytes, bytes]] = self._scope["headers"]
        return next((value.decode("latin-1") for key, value in headers if key == name), None)

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [(b"x-request-id", self._id.encode("ascii"))]
            if self._door.closing:
                own.append((b"connection", b"close"))
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        self._sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, error: ServingError) -> None:
        body = json.dumps({"error": error.message}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode("ascii")),
        ]
        if error.code is Code.UNAUTHENTICATED:
            headers.append((b"www-authenticate", b"Bearer"))
        start = {"type": "http.response.start", "status": _HTTP[error.code], "headers": headers}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    def access(self) -> Access:
        found = _PATH.fullmatch(self._scope["path"])
        http = str(self._scope["method"])
        client = self._scope.get("client")
        if found is None:
            method, model, asked = f"{http} {unquote(self._scope['path'])}", "", None
        else:
            method = f"{http} {found['method'] or found['metadata'] or 'status'}"
            model, asked = found["model"], found["version"]
        served = self._scope.get(SERVED)
        version = served if served is not None else int(asked) if asked else None
        # No status: the client hung up, or the application failed; 499 is nginx's for the former.
        status = 499 if self.status is None else self.status
        return Access(
            protocol="rest",
            method=method,
            model=model,
            version=version,
            status=status,
            ok=status < 400,
            seconds=time.monotonic() - self._start,
            received=self._received,
            sent=self._sent,
            peer=f"{client[0]}:{client[1]}" if client else "",
            request_id=self._id,
        )
