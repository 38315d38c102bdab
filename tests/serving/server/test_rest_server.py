"""The web server under the REST application, as this package sets it up."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from serving.rest.protocol import PatientProtocol
from serving.server import ports
from serving.server.rest_server import RestServer
from serving.server.tls import Tls
from tests.serving.server.certificates import Certificates

HOST = "127.0.0.1"
PATIENCE = 60.0
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def serving(work: Callable[[int], Awaitable[None]], **options: Any) -> None:
    """Runs `work` with the port of a server that says hello."""

    async def run() -> None:
        server = RestServer(hello, **({"context": None, "max_header_bytes": 65536} | options))
        with ports.bound(HOST, 0, "port") as listening:
            ports.listen(listening, "port")
            await server.start(listening)
            try:
                await asyncio.wait_for(work(ports.number(listening)), PATIENCE)
            finally:
                assert await server.stop(5) == 0

    asyncio.run(run())


def test_a_connection_that_asks_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.3)

    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ")
        assert await reader.read() == b""  # the server hung up
        writer.close()

    serving(work)


def test_a_connection_serves_one_request_after_the_other() -> None:
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for path in (b"/slow", b"/", b"/slow"):
            writer.write(REQUEST.replace(b" / ", b" %s " % path))
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()

    serving(work)


def test_headers_beyond_the_limit_are_refused() -> None:
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 5000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        writer.close()

    serving(work, max_header_bytes=2000)


def test_nothing_tells_what_the_server_is_made_of() -> None:
    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(REQUEST)
        assert b"server:" not in (await reader.readuntil(b"hello")).lower()
        writer.close()

    serving(work)


def test_over_tls(certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=certificates.ca)

    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
        writer.write(REQUEST)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()

    pair = certificates.server
    serving(work, context=Tls.from_files(pair.certificate, pair.key).context())
