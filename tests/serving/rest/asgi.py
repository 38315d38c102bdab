"""Calls an ASGI application without a socket: paths and headers arrive exactly as given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

PATIENCE = 60.0
"""Seconds; only there so that a test fails instead of hanging."""
T = TypeVar("T")


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    starts: int = 0


class Loop:
    """An event loop in a thread of its own, for tests that are not coroutines."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, run in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


def scope_of(
    method: str, path: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> dict[str, Any]:
    """An HTTP scope as uvicorn makes it."""
    raw, _, query = path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw.decode("latin-1"),
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8501),
    }


async def call(
    app: Any,
    method: str,
    path: str | bytes,
    body: bytes | Iterable[bytes] | AsyncIterator[bytes] | None = None,
    headers: Mapping[str, str] | Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    """The answer of `app`.

    Args:
        app: The application.
        method: HTTP method.
        path: As it is to arrive, with its query.
        body: Whole, with its length announced, or in parts, announced as chunks; None: no body.
        headers: Further headers.
    """
    pairs = (
        [(n.lower().encode(), v.encode()) for n, v in headers.items()]
        if isinstance(headers, Mapping)
        else list(headers)
    )
    parts = _parts(body)
    if isinstance(body, bytes):
        pairs.append((b"content-length", str(len(body)).encode()))
    elif body is not None and not any(name == b"content-length" for name, _ in pairs):
        pairs.append((b"transfer-encoding", b"chunked"))
    answer = Answer()
    done = asyncio.Event()
    ended = False

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if ended:
            await done.wait()
            return {"type": "http.disconnect"}
        try:
            return {"type": "http.request", "body": await anext(parts), "more_body": True}
        except StopAsyncIteration:
            ended = True
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.starts += 1
            answer.status = message["status"]
            answer.headers = {n.decode(): v.decode() for n, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")
            if not message.get("more_body", False):
                done.set()

    raw = path if isinstance(path, bytes) else path.encode("ascii")
    await app(scope_of(method, raw, pairs), receive, send)
    return answer


async def _parts(body: Any) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
    elif hasattr(body, "__aiter__"):
        async for part in body:
            yield part
    else:
        for part in body or ():
            yield part
