"""The embedded server for tests: in this process, because TensorFlow takes 10 s to import."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from serving.server.embedded import Embedded
from serving.server.errors import StartError
from serving.server.flags import parse
from serving.server.run import reserved
from tests.serving.contract.engines import PATIENCE, Running, Setup

Result = TypeVar("Result")


class LoopThread:
    """An event loop in a thread of its own: the server's, while tests are clients outside of it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of a coroutine that runs in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def close(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


class EmbeddedServer(Running):
    """All of the server but its process: flags, models, gRPC and REST."""

    poll_seconds = 0.1

    def __init__(self, folder: Path, setup: Setup, loop: LoopThread) -> None:
        super().__init__(folder, setup)
        settings = parse(
            [
                "--port=0",
                "--rest_api_port=0",
                f"--file_system_poll_wait_seconds={self.poll_seconds}",
                f"--reload_root={self.root}",
                *self.flags,
            ]
        )
        self._loop = loop
        with ExitStack() as stack:
            held = stack.enter_context(reserved(settings))
            self.server, ready = loop.run(_start(settings, held))
            self._held = stack.pop_all()
        self._ports = ready.grpc_port, ready.rest_port

    @property
    def grpc_port(self) -> int:
        return self._ports[0]

    @property
    def rest_port(self) -> int:
        return self._ports[1]

    def stop(self) -> None:
        self.channel.close()
        self._loop.run(self.server.stop(5.0))
        self._held.close()


async def _start(settings: Any, held: Any) -> tuple[Embedded, Any]:
    server = Embedded(settings, held)
    return server, await server.start()


def refuses_config(file: Path) -> str:
    """What the server says of a models.config that it does not start with."""
    try:
        settings = parse([f"--model_config_file={file}"])
    except StartError as error:
        return str(error)
    raise AssertionError(f"{file} was taken: {settings.models}")
