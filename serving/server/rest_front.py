"""`RestFront`: counts the REST requests, bounds their number, and writes them down."""

from __future__ import annotations

import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.rest.app import SERVED
from serving.rest.body import has_body
from serving.rest.json_answer import write_error
from serving.rest.reply import JSON, Reply, send_reply
from serving.server.access_log import Access, AccessLog, request_id
from serving.server.traffic import Traffic

_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d{1,19})|/labels/[^/:]+)?"
    r"(?::(?P<verb>\w+)|/(?P<metadata>metadata))?"
)
_HUNG_UP = 499
"""Status, as nginx has it, of a request whose client did not wait for the answer."""


class RestFront:
    """An ASGI application around the REST application.

    Args:
        app: Answers the requests.
        traffic: Counts those in work.
        log: Writes them down.
        concurrent: How many may be in work; one more is answered with 429.
    """

    def __init__(self, app: ASGIApp, traffic: Traffic, log: AccessLog, concurrent: int) -> None:
        self._app = app
        self._traffic = traffic
        self._log = log
        self._concurrent = concurrent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; anything but HTTP goes through as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._traffic)
        try:
            with self._traffic.counted("rest"):
                if self._traffic.inside["rest"] > self._concurrent:
                    await exchange.refuse(self._concurrent)
                else:
                    await self._app(scope, exchange.receive, exchange.send)
        finally:
            if self._log.enabled:
                self._log.write(exchange.access())


class _Exchange:
    """One request and its answer, on their way through."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, traffic: Traffic) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._traffic = traffic
        self._start = time.monotonic()
        self._received = 0
        self._sent = 0
        self._status: int | None = None
        given = [v for name, v in scope["headers"] if name == b"x-request-id"]
        self._id = request_id(given[0].decode("latin-1") if given else None)

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self._id.encode("ascii"))]
            if self._traffic.closing and not any(name == b"connection" for name, _ in headers):
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        self._sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, most: int) -> None:
        """Answers that there are too many requests."""
        message = f"{most} requests are in work already; try again later"
        reply = Reply(429, write_error(message), JSON)
        await send_reply(reply, has_body(self._scope["headers"]), self.receive, self.send)

    def access(self) -> Access:
        """What is written down, once all is over."""
        path = str(self._scope["path"])
        found = _PATH.fullmatch(path)
        if found is None:
            what, model, asked = path, "", None
        else:
            what = found["verb"] or found["metadata"] or "status"
            model, asked = found["model"], found["version"]
        served = self._scope.get(SERVED)
        client = self._scope.get("client")
        status = _HUNG_UP if self._status is None else self._status
        return Access(
            protocol="rest",
            method=f"{self._scope['method']} {what}",
            model=model,
            version=served if served is not None else int(asked) if asked else None,
            status=status,
            ok=status < 400,
            seconds=time.monotonic() - self._start,
            received=self._received,
            sent=self._sent,
            peer=f"{client[0]}:{client[1]}" if client else "",
            request_id=self._id,
        )
