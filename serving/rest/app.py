"""`build_app`: TF Serving's REST API as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.observer import Observer
from serving.rest.answers import Answers
from serving.rest.bearer import check_token
from serving.rest.body import ClientGoneError, check_headers, has_body, header, read_body
from serving.rest.http_status import RefusalError, http_status
from serving.rest.json_answer import write_error
from serving.rest.limits import RestLimits
from serving.rest.reply import JSON, TEXT, Reply, send_reply
from serving.rest.routes import API, Route, malformed, parse_route
from serving.rest.watch import until_gone
from serving.status import Code, ServingError

if TYPE_CHECKING:
    from serving.inference.inference import Inference

METRICS = "/monitoring/prometheus/metrics"
SERVED = "elman.served_version"
"""Key of the scope under which the version that answered is left, for an access log."""
_VERSIONS = ("1.0", "1.1", "2")
_log = logging.getLogger(__name__)


def build_app(
    inference: Inference,
    *,
    observer: Observer,
    limits: RestLimits | None = None,
    token: str | None = None,
    metrics_text: Callable[[], str] | None = None,
    metrics_path: str = METRICS,
    metrics_need_token: bool = True,
) -> ASGIApp:
    """The REST API as an ASGI application.

    Args:
        inference: Answers the requests.
        observer: Hears of every request that names a model.
        limits: What one request may take.
        token: What requests must bring as bearer token; None: nothing.
        metrics_text: The page of metrics; None: there is none.
        metrics_path: Where it is.
        metrics_need_token: Whether the page needs the token too.
    """
    return _App(
        Answers(inference, limits or RestLimits()),
        observer,
        limits or RestLimits(),
        None if token is None else token.encode(),
        {metrics_path: metrics_text} if metrics_text else {},
        metrics_need_token,
    )


class _App:
    def __init__(
        self,
        answers: Answers,
        observer: Observer,
        limits: RestLimits,
        token: bytes | None,
        pages: dict[str, Callable[[], str]],
        pages_need_token: bool,
    ) -> None:
        self._answers = answers
        self._observer = observer
        self._limits = limits
        self._token = token
        self._pages = pages
        self._pages_need_token = pages_need_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            request = _Request(scope, receive)
            try:
                reply = await self._guarded(request, self._reply(request))
            except ClientGoneError:
                return
            await send_reply(reply, request.unread, receive, send)

    async def _guarded(self, request: _Request, work: Awaitable[Reply]) -> Reply:
        """What `work` gives; an error as the reply it deserves."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        request.deadline = start + self._limits.request_seconds
        code = Code.OK
        try:
            async with asyncio.timeout_at(request.deadline):
                return await work
        except ClientGoneError:
            code = Code.CANCELLED
            raise
        except asyncio.CancelledError:
            code = Code.CANCELLED
            raise
        except ServingError as error:
            code = error.code
            headers = error.headers if isinstance(error, RefusalError) else ()
            return Reply(http_status(error), write_error(error.message), JSON, headers)
        except TimeoutError:
            code = Code.DEADLINE_EXCEEDED
            message = f"No answer within {self._limits.request_seconds:g} seconds"
            return Reply(504, write_error(message), JSON)
        except Exception:
            code, reference = Code.INTERNAL, uuid.uuid4().hex[:12]
            _log.exception("%s %s failed (reference %s)", request.verb, request.path, reference)
            message = f"Internal error; the server's log has it under reference {reference}"
            return Reply(500, write_error(message), JSON)
        finally:
            if request.route is not None:
                self._observer.request(
                    model=request.route.target.name,
                    method=request.route.method.value,
                    protocol="rest",
                    code=code,
                    seconds=loop.time() - start,
                )

    async def _reply(self, request: _Request) -> Reply:
        check_headers(request.headers, self._limits)
        if request.scope["http_version"] not in _VERSIONS:
            raise RefusalError(505, Code.UNIMPLEMENTED, "This server speaks HTTP/1.1")
        page = self._pages.get(request.path.partition("?")[0])
        if page is None or self._pages_need_token:
            check_token(request.headers, self._token)
        if page is None and not API.fullmatch(request.path):
            raise ServingError(Code.NOT_FOUND, f"Not found: {request.verb} {request.path}")
        if request.verb not in ("GET", "POST"):
            raise RefusalError(
                405,
                Code.UNIMPLEMENTED,
                malformed(request.verb, request.path).message,
                ((b"allow", b"GET, POST"),),
            )
        if page is not None:
            return Reply(200, page().encode(), TEXT)
        request.route = parse_route(request.verb, request.path)
        if request.verb == "GET":
            return Reply(200, self._answers.about(request.route), JSON)
        body = await read_body(request.headers, request.receive, self._limits)
        request.unread = False
        encoding = header(request.headers, b"content-encoding")
        work = self._answers.infer(request.route, body, encoding, request.deadline)
        answer, version = await until_gone(work, request.receive)
        request.scope[SERVED] = version
        return Reply(200, answer, JSON)


class _Request:
    """A request on its way through.

    Attributes:
        path: As it was sent, with its query.
        route: What it asks for, once that is known.
        deadline: Time of the event loop at which it is given up.
        unread: Whether a body may still come.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.verb: str = scope["method"]
        raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        query: bytes = scope.get("query_string", b"")
        whole = raw + b"?" + query if query else raw
        self.path = whole.decode("latin-1")
        self.route: Route | None = None
        self.deadline = 0.0
        self.unread = has_body(self.headers)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
