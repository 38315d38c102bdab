"""HTTP byte by byte, for requests that no client library would send."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENCE = 30.0
"""Seconds; only there so that a test fails instead of hanging."""


@dataclass
class RawAnswer:
    """What came back; status 0 if the connection was closed without an answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


def post(path: str, body: bytes | str | object, *headers: str, length: int | None = None) -> bytes:
    """A POST request; `length` announces another length than the body's, negative: none."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    announced = len(body) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: x", *headers]
    if announced >= 0:
        lines.append(f"Content-Length: {announced}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def get(path: str, *headers: str, verb: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{verb} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode("latin-1")


def chunked(path: str, chunks: bytes, *headers: str) -> bytes:
    """A POST request whose body follows in chunks as they are."""
    return post(path, chunks, "Transfer-Encoding: chunked", *headers, length=-1)


def chunk(data: bytes) -> bytes:
    """A well-formed chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def exchange(port: int, parts: Sequence[bytes | float], *, hang_up: bool = False) -> RawAnswer:
    """Sends bytes, waits seconds in between, and reads the first final answer.

    Args:
        port: On the loopback address.
        parts: Bytes to send, and seconds to wait.
        hang_up: Whether to end the own side of the connection after them.
    """
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            for part in parts:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered and closed before all was sent
        return _read(connection)


def _read(connection: socket.socket) -> RawAnswer:
    data = b""
    while True:
        head, separator, rest = data.partition(b"\r\n\r\n")
        if separator:
            answer = _head(head)
            if answer.status < 200:
                data = rest
                continue
            length = int(answer.headers.get("content-length", "-1"))
            if 0 <= length <= len(rest):
                answer.body = rest[:length]
                return answer
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            if separator:
                answer.body = rest
                return answer
            return RawAnswer()
        data += more


def _head(head: bytes) -> RawAnswer:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return RawAnswer(int(first.split()[1]), {name.lower(): value.strip() for name, value in pairs})
