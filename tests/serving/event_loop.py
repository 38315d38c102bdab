"""`run`: a coroutine in an event loop of its own, that fails instead of hanging."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
SECONDS = 60.0


def run(coroutine: Coroutine[Any, Any, T], seconds: float = SECONDS) -> T:
    """The result of `coroutine`."""
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


async def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Returns once `condition` holds."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(wait(), seconds)
