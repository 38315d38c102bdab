"""`Reply`: an answer over HTTP, and how it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Receive, Send

from serving.rest.body import discard

JSON = b"application/json"
TEXT = b"text/plain"
_LINGER = 2.0
"""Seconds that a client who still sends gets to notice that it was refused."""


@dataclass(frozen=True)
class Reply:
    """What goes back to a client.

    Attributes:
        status: HTTP status.
        body: Of the answer.
        content_type: Of `body`.
        headers: Further headers.
    """

    status: int
    body: bytes
    content_type: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def send_reply(reply: Reply, unread: bool, receive: Receive, send: Send) -> None:
    """Sends `reply`; if the request's body is still `unread`, the connection ends with it."""
    headers = [
        (b"content-type", reply.content_type),
        (b"content-length", str(len(reply.body)).encode("ascii")),
        *reply.headers,
    ]
    if unread:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": unread})
    if unread:
        await discard(receive, _LINGER)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
