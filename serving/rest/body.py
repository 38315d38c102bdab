"""`read_body`: the body of a request, never more of it than the limits allow."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from typing import Any

from starlette.types import Receive

from serving.rest.http_status import RefusalError
from serving.rest.limits import RestLimits
from serving.status import Code, ServingError

_GZIP = 16 + zlib.MAX_WBITS
Headers = Iterable[tuple[bytes, bytes]]


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole."""


def header(headers: Headers, name: bytes) -> bytes | None:
    """The value of the header `name` (lower case); of several, joined by commas."""
    values = [value for key, value in headers if key == name]
    return b",".join(values) if values else None


def has_body(headers: Headers) -> bool:
    """Whether a body comes with these headers."""
    length = header(headers, b"content-length")
    return length not in (None, b"0") or header(headers, b"transfer-encoding") is not None


def check_headers(headers: Headers, limits: RestLimits) -> None:
    """Refuses headers that the HTTP server lets through.

    Raises:
        RefusalError: 431 if they are too large: the server looks at the size of what is incomplete
            alone. 400 if they give a length and chunks: whoever stands between client and server
            may take the other one for the end of the body, and the rest for another request.
    """
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    if size > limits.max_header_bytes:
        raise RefusalError(
            431,
            Code.RESOURCE_EXHAUSTED,
            f"The headers have {size} bytes, and may have {limits.max_header_bytes} at most",
        )
    names = {name for name, _ in headers}
    if b"content-length" in names and b"transfer-encoding" in names:
        raise RefusalError(
            400,
            Code.INVALID_ARGUMENT,
            "The headers give both Content-Length and Transfer-Encoding: leave one of them away",
        )


async def read_body(headers: Headers, receive: Receive, limits: RestLimits) -> bytes:
    """The body as it was sent.

    Raises:
        RefusalError: 413 if it is too large, as soon as that is known; 408 if it takes too long.
        ClientGoneError: If it will never be whole.
    """
    declared = header(headers, b"content-length")
    if declared is not None and declared.isdigit() and _above(declared, limits.max_body_bytes):
        raise _too_large(f"{declared.decode('ascii')[:20]} bytes", limits.max_body_bytes)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _collect(receive, limits.max_body_bytes)
    except TimeoutError:
        raise RefusalError(
            408,
            Code.DEADLINE_EXCEEDED,
            f"The request body did not arrive within {limits.body_seconds:g} seconds",
        ) from None


def decoded(body: bytes, encoding: bytes | None, most: int) -> bytes:
    """`body` without its Content-Encoding: gzip or none, as TF Serving.

    Raises:
        RefusalError: 413 if it would be larger than `most` bytes.
        ServingError: INVALID_ARGUMENT if it is not gzip, or another encoding.
    """
    name = (encoding or b"").strip().lower()
    if name in (b"", b"identity"):
        return body
    if name not in (b"gzip", b"x-gzip"):
        raise ServingError(
            Code.INVALID_ARGUMENT,
            f"Content-Encoding {name.decode('latin-1')[:40]!r} is not supported: "
            "send the body as it is, or as gzip",
        )
    expand = zlib.decompressobj(_GZIP)
    try:
        # One call, for one member: what is left of the input is copied on every call.
        data = expand.decompress(body, most + 1)
    except zlib.error as error:
        raise ServingError(Code.INVALID_ARGUMENT, f"The body is not gzip: {error}") from None
    if len(data) > most:
        raise _too_large("more", most, "decompressed ")
    if not expand.eof or expand.unused_data:
        what = "goes on after its end" if expand.eof else "is cut off"
        raise ServingError(Code.INVALID_ARGUMENT, f"The gzip data of the body {what}")
    return data


async def discard(receive: Receive, seconds: float) -> None:
    """Reads on for a while and keeps nothing, so that a refused client gets to read its answer.

    A connection that is closed with unread data on it is reset, and with it goes the answer.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


async def _collect(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message: dict[str, Any] = dict(await receive())
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large("more", most)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _above(digits: bytes, most: int) -> bool:
    short = digits.lstrip(b"0")
    return len(short) > len(str(most)) or int(short or b"0") > most


def _too_large(size: str, most: int, what: str = "") -> RefusalError:
    return RefusalError(
        413,
        Code.RESOURCE_EXHAUSTED,
        f"The {what}request body has {size}, and may have {most} bytes at most",
    )
