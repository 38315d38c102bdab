"""What stands behind a gRPC server in tests of the server alone."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from serving.inference.target import Prediction


class Answers:
    """Answers every prediction with its inputs; remembers the deadlines."""

    def __init__(self) -> None:
        self.deadlines: list[float | None] = []

    async def predict(self, target: Any, inputs: Any, outputs: Any, deadline: Any) -> Prediction:
        now = asyncio.get_running_loop().time()
        self.deadlines.append(None if deadline is None else deadline - now)
        return Prediction(dict(inputs), target.name, 7, target.signature or "serving_default")


class Fails:
    """Raises the same for whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def predict(self, *args: Any) -> Prediction:
        raise self._error

    def status(self, target: Any) -> Any:
        raise self._error

    def metadata(self, target: Any) -> Any:
        raise self._error


class Waits:
    """Answers nothing; remembers that it was asked and that it was told to stop."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.cancelled = threading.Event()

    async def predict(self, *args: Any) -> Prediction:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError("nobody sets that event")


class Manager:
    """Takes long to reload."""

    def __init__(self) -> None:
        self.begun, self.done = threading.Event(), threading.Event()
        self.models: list[str] = []

    async def configure(self, models: Any) -> None:
        self.begun.set()
        await asyncio.sleep(0.3)
        self.models = [model.name for model in models]
        self.done.set()
