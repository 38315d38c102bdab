"""`until_gone`: work for a client, given up when the client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from serving.rest.body import ClientGoneError

PATIENCE = 0.05
"""Seconds before anyone looks whether the client is still there: most answers come sooner."""
T = TypeVar("T")


async def until_gone(work: Awaitable[T], receive: Receive) -> T:
    """What `work` gives; it is cancelled if the client, whose body was read, goes away.

    Raises:
        ClientGoneError: If the client went away.
    """
    task = asyncio.current_task()
    assert task is not None
    gone = False
    watcher: asyncio.Task[None] | None = None

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    def start() -> None:
        nonlocal watcher
        watcher = asyncio.ensure_future(watch())

    timer = asyncio.get_running_loop().call_later(PATIENCE, start)
    try:
        return await work
    except asyncio.CancelledError:
        if not gone:
            raise
        task.uncancel()
        raise ClientGoneError from None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
