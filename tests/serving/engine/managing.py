"""A manager of one model in a test, and what can be asked of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel, VersionPolicy
from serving.engine.version_status import State
from serving.status import ServingError
from tests.serving.engine.fake_versions import Loads, as_fake


@contextlib.asynccontextmanager
async def managing(
    base: Path, loads: Loads, policy: VersionPolicy | None = None, **options: Any
) -> AsyncIterator[ModelManager]:
    """A manager of the model `m` in `base` that has started, and looks when it is told to."""
    model = ServedModel("m", base, policy or VersionPolicy())
    manager = ModelManager([model], load=loads, **{"poll_seconds": 0, **options})
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()


def available(manager: ModelManager) -> list[int]:
    """Versions that are available, newest first."""
    try:
        found = manager.status("m")
    except ServingError:
        return []
    return [status.version for status in found if status.state is State.AVAILABLE]


def states(manager: ModelManager) -> dict[int, State]:
    """Of each version that is known."""
    return {status.version: status.state for status in manager.status("m")}


def used(manager: ModelManager, version: int | None = None) -> int:
    """The version that answers."""
    with manager.use("m", version) as servable:
        assert not as_fake(servable).closed
        return servable.version


async def look_twice(manager: ModelManager) -> None:
    """What was broken is tried again when it has changed and is the same at two looks."""
    await manager.poll()
    await manager.poll()


def refused(manager: ModelManager, *args: Any) -> ServingError:
    """Why nothing is lent."""
    with pytest.raises(ServingError) as caught, manager.use(*args):
        pass
    return caught.value
