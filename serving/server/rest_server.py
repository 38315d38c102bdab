"""`RestServer`: uvicorn, inside an event loop and under signals that are not its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from serving.rest.protocol import PatientProtocol


class RestServer:
    """Serves an ASGI application on a socket that listens already.

    Args:
        app: The application.
        context: TLS; None: plain text.
        max_header_bytes: Largest request line and headers.
    """

    def __init__(
        self, app: ASGIApp, *, context: ssl.SSLContext | None, max_header_bytes: int
    ) -> None:
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # anybody may write them
            timeout_keep_alive=75,
            h11_max_incomplete_event_size=max_header_bytes,
        )
        config.load()
        config.ssl = context
        self._server = _Quiet(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Answers requests from now on.

        Raises:
            RuntimeError: If uvicorn ends at once.
        """
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the REST server ended as it started")
            await asyncio.sleep(0.005)

    async def stop(self, seconds: float) -> int:
        """Takes no more connections, and waits for the requests in work.

        Args:
            seconds: How long to wait.

        Returns:
            Requests that were cut off after that.
        """
        if self._task is None:
            return 0
        self._server.should_exit = True
        done, _ = await asyncio.wait([self._task], timeout=seconds)
        if done:
            self._task.result()
            return 0
        cut = len(self._server.server_state.tasks)
        self._server.force_exit = True
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        return cut


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the process, which has more to stop than this server."""
        yield
