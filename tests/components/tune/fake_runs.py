"""Trials that train nothing, and a runner without processes."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from components.tune.trial import Event, Order, Outcome, Result, Say
from models.errors import BadInputError


class KilledError(BaseException):
    """Stands for kill -9: nothing catches it."""


def loss_of(values: dict[str, Any]) -> float:
    """A smooth function of what is tuned, lowest at a rate of 0.01 and a lookback of 8."""
    rate = math.log10(float(values["train.learning_rate"])) + 2
    return rate**2 + (float(values["window.lookback"]) - 8) ** 2 / 100


class InProcess:
    """A `Runner` that runs each trial when it is waited for, the one started first, first."""

    def __init__(
        self,
        slots: int = 1,
        run: Callable[[Order], float | None] | None = None,
        seconds: Callable[[], None] = lambda: None,
    ) -> None:
        self.slots = slots
        self.run = run or (lambda order: loss_of(dict(order.values)))
        self.took = seconds
        self.started: list[Order] = []
        self.finished: list[str] = []
        self.closed = False
        self._waiting: list[tuple[int, Order]] = []

    def start(self, slot: int, order: Order) -> None:
        assert slot not in [busy for busy, _ in self._waiting], "the slot is busy"
        self.started.append(order)
        self._waiting.append((slot, order))

    def wait(self, timeout: float | None) -> list[Event]:
        slot, order = self._waiting.pop(0)
        self.took()
        loss = self.run(order)
        self.finished.append(order.id)
        if loss is None:
            return [Outcome(slot, message="it was meant to fail")]
        return [Outcome(slot, val_loss=loss, best_epoch=1, epochs=order.epochs or 1)]

    def close(self) -> None:
        self.closed = True


class Quiet:
    """A `Watcher` that hears nothing."""

    def started(self, record: Any) -> None: ...

    def epoch(self, record: Any, epoch: int, values: Any) -> None: ...

    def ended(self, record: Any) -> None: ...


def told(order: Order, say: Say) -> Result:
    """A `Run` that does what its values say."""
    what = order.values.get("do")
    say(1, {"val_loss": 0.5})
    if what == "fail":
        raise BadInputError("no window has room for it")
    if what == "bug":
        raise ZeroDivisionError("a bug")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "exit":
        os._exit(3)
    if what == "sleep":
        print(os.getpid(), flush=True)
        time.sleep(600)
    if what == "threads":
        return Result(float(os.environ["OMP_NUM_THREADS"]), os.getpid(), 1)
    return Result(0.25, os.getpid(), 1)
