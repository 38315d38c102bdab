"""Clients that are slow to say what they want are hung up on; others keep their connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from serving.rest.app import build_app
from serving.rest.protocol import PatientProtocol
from tests.serving.rest.raw_http import get

PATIENCE = 30.0


class Impatient(PatientProtocol):
    head_seconds = 0.3


async def _served(
    test: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """Runs `test` on a connection to a server that waits for no model: every path is unknown."""
    app = build_app(None, observer=None)  # type: ignore[arg-type]
    config = uvicorn.Config(app, http=Impatient, lifespan="off", log_config=None, ws="none")
    config.load()
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Impatient(config, server.server_state, {}), "127.0.0.1", 0
    )
    async with listening, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        try:
            await test(reader, writer)
        finally:
            writer.close()


@pytest.mark.parametrize("dribble", [b"", b"G", b"\r\n", b"X: a\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(dribble: bytes) -> None:
    async def test(reader: asyncio.StreamReader, writer: Any) -> None:
        async def send() -> None:
            if dribble.startswith(b"X"):
                writer.write(b"GET / HTTP/1.1\r\n")
            while True:
                writer.write(dribble)
                await asyncio.sleep(0.05)

        sending = asyncio.create_task(send())
        end = await reader.read()
        assert end == b"" or end.startswith(b"HTTP/1.1 400 ")
        sending.cancel()

    asyncio.run(_served(test))


def test_between_requests_a_client_may_be_silent() -> None:
    async def test(reader: asyncio.StreamReader, writer: Any) -> None:
        for _ in range(2):
            for byte in get("/"):
                writer.write(bytes([byte]))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 404 " in head
            await reader.readexactly(len(b'{"error": "Not found: GET /"}'))
            await asyncio.sleep(0.6)

    asyncio.run(_served(test))


def test_a_slow_answer_is_waited_for() -> None:
    async def test(reader: asyncio.StreamReader, writer: Any) -> None:
        # The head is whole; how long its body may take is for the application to say.
        writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
        await asyncio.sleep(0.6)
        assert b" 404 " in await reader.readuntil(b"\r\n\r\n")

    asyncio.run(_served(test))
