"""A request to stop: by a signal, or by whoever drives the loop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Asked once: stop when the running night has had its grace. Asked twice: stop now."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._now = threading.Event()

    def ask(self) -> None:
        """Asks; the second time means now."""
        if self._asked.is_set():
            self._now.set()
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether anybody has."""
        return self._asked.is_set()

    @property
    def now(self) -> bool:
        """Whether it was asked twice."""
        return self._now.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits up to `seconds` for the first request; whether it has come."""
        return self._asked.wait(seconds)


@contextmanager
def stopped_by_signals(stop: Stop) -> Iterator[None]:
    """Inside the block SIGTERM and SIGINT ask `stop` instead of ending the process."""

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame  # Python's signature
        stop.ask()

    former = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
