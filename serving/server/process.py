"""`serve`: starts the embedded server, hears signals, and stops it so that no request is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable

from serving.server.embedded import Embedded
from serving.server.run import Reserved
from serving.server.settings import ServerSettings

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)
Say = Callable[[str], None]


def serve(settings: ServerSettings, held: Reserved, *, say: Say, warn: Say) -> int:
    """Serves until SIGTERM or SIGINT; a second one ends the process at once.

    Args:
        settings: What to serve, and how.
        held: Ports and files.
        say: Takes lines for people.
        warn: Takes warnings for people.

    Returns:
        0. If requests had to be cut off, this does not return: the process ends with 1.

    Raises:
        StartError: If a port was taken meanwhile, or the ready file cannot be written.
    """
    return asyncio.run(_serve(settings, held, say, warn))


async def _serve(settings: ServerSettings, held: Reserved, say: Say, warn: Say) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _heed, number, told)
    server = Embedded(settings, held)
    starting = asyncio.ensure_future(server.start())
    telling = asyncio.ensure_future(told.wait())
    await asyncio.wait([starting, telling], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        # TensorFlow does not let go of a model that it loads; nobody has asked anything yet.
        say("stopped before it was ready")
        _end(0)
    ready = starting.result()
    for problem in server.problems():
        warn(problem)
    say(ready.line())
    try:
        if settings.ready_file is not None:
            ready.write(settings.ready_file)
        await telling
    finally:
        if settings.ready_file is not None:
            settings.ready_file.unlink(missing_ok=True)
    say("stopping: answering the requests in work")
    cut = await server.stop(settings.drain_seconds)
    if cut:
        warn(f"{cut} requests were not done after {settings.drain_seconds:g} s and were cut off")
        held.log.close()
        _end(1)
    say("stopped")
    return 0


def _heed(number: int, told: asyncio.Event) -> None:
    if told.is_set():
        _end(128 + number)
    told.set()


def _end(code: int) -> None:
    """Ends the process, whatever its threads are at."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
