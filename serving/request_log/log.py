"""`RequestLog`: keeps a sample of the answered requests without holding one of them up."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable

import tensorflow as tf

from serving.inference.exchange import Exchange
from serving.request_log.files import RotatingRecords
from serving.request_log.record import prediction_log
from serving.request_log.settings import RequestLogSettings
from serving.status import ServingError

WRITTEN, DROPPED, FAILED = "written", "dropped", "failed"
_IDLE_SECONDS = 1.0
_log = logging.getLogger(__name__)


class RequestLog:
    """A `Keeper` with a thread that writes.

    The event loop only puts references to arrays into a queue; a full queue drops the request and
    counts it. Encoding and writing happen in the thread.

    Args:
        settings: What is kept, and where.
        count: Told the model and what became of a request: `written`, `dropped` or `failed`. From
            any thread.
        draw: Numbers between 0 and 1.
        clock: Unix seconds.
    """

    def __init__(
        self,
        settings: RequestLogSettings,
        *,
        count: Callable[[str, str], None] = lambda _model, _outcome: None,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._count = count
        self._draw = draw
        self._clock = clock
        self._files = RotatingRecords(settings, clock=clock)
        self._waiting: deque[tuple[Exchange, int, int]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._told = False
        self._thread = threading.Thread(target=self._work, name="request-log", daemon=True)
        self._thread.start()

    def wants(self) -> bool:
        """See `Keeper`."""
        return self._draw() < self._settings.sample

    def keep(self, exchange: Exchange) -> None:
        """See `Keeper`."""
        size, now = exchange.size, int(self._clock())
        with self._changed:
            full = len(self._waiting) >= self._settings.queue_requests
            if self._closing or full or self._bytes + size > self._settings.queue_bytes:
                dropped = True
            else:
                dropped = False
                self._waiting.append((exchange, size, now))
                self._bytes += size
                self._changed.notify()
        if dropped:
            self._count(exchange.targets[0].name, DROPPED)

    def close(self, seconds: float = 5.0) -> None:
        """Takes no more, writes what waits, and closes the file.

        Args:
            seconds: How long that may take; what is left then is lost.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._closing:
                    self._changed.wait(_IDLE_SECONDS)
                taken = self._waiting.popleft() if self._waiting else None
                if taken is not None:
                    self._bytes -= taken[1]
                closing = self._closing
            if taken is not None:
                self._write(taken[0], taken[2])
                continue
            self._settle(closing=closing)
            if closing:
                return

    def _write(self, exchange: Exchange, seconds: int) -> None:
        name = exchange.targets[0].name
        try:
            log = prediction_log(exchange, sample=self._settings.sample, seconds=seconds)
            self._files.write(log.SerializeToString())
        except (OSError, tf.errors.OpError, ServingError, ValueError) as error:
            self._count(name, FAILED)
            self._tell(error)
        else:
            self._count(name, WRITTEN)

    def _settle(self, *, closing: bool) -> None:
        """Nothing waits: what was written becomes visible, and an old file is closed."""
        try:
            self._files.flush()
            if closing:
                self._files.close()
            else:
                self._files.turn()
        except (OSError, tf.errors.OpError) as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning("requests cannot be kept in %s: %s", self._settings.directory, error)
