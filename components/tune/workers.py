"""`Workers`: processes that run trials one after the other, and end with the process that began
them.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from components.tune.trial import Epoch, Event, Order, Outcome, Run
from models.errors import ElmanError

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
"""What TensorFlow and the libraries below it read before their first operation."""


class Workers:
    """Runs trials in processes of their own: a trial that dies takes no other one with it.

    Processes are spawned, because TensorFlow does not survive a fork. They stay for the next trial,
    because importing TensorFlow takes seconds; one that dies is replaced. A process ends at once
    when this one does, also by kill -9: it reads from a pipe that only this process holds open.
    """

    def __init__(self, run: Run, slots: int) -> None:
        """Starts nothing yet.

        Args:
            run: Runs a trial in a worker; picklable.
            slots: Trials at a time; the cores are divided between them.
        """
        self._run = run
        self._slots = slots
        self._workers: dict[int, _Worker] = {}

    @property
    def slots(self) -> int:
        """See `Runner.slots`."""
        return self._slots

    def start(self, slot: int, order: Order) -> None:
        """See `Runner.start`."""
        worker = self._workers.get(slot)
        if worker is None or not worker.alive:
            worker = self._workers[slot] = _Worker(self._run, slot, self._slots)
        worker.begin(order)

    def wait(self, timeout: float | None) -> list[Event]:
        """See `Runner.wait`."""
        busy = {w.connection: w for w in self._workers.values() if w.busy}
        return [busy[connection].receive() for connection in wait(list(busy), timeout)]  # type: ignore[index]

    def close(self) -> None:
        """See `Runner.close`."""
        for worker in self._workers.values():
            worker.end()
        self._workers = {}


class _Worker:
    """This side of one process."""

    def __init__(self, run: Run, slot: int, slots: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._slot = slot
        self._since = 0.0
        self.busy = False
        cores = len(os.sched_getaffinity(0))
        threads = max(1, cores // slots) if slots > 1 else None
        self._process = context.Process(
            target=serve, args=(theirs, run, slot, threads), name=f"trial-{slot}", daemon=True
        )
        self._process.start()
        theirs.close()  # or this process would never see the end of the other side

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def begin(self, order: Order) -> None:
        self.busy, self._since = True, time.monotonic()
        with suppress(OSError):  # it died just now: `receive` says so
            self.connection.send(order)

    def receive(self) -> Event:
        try:
            event: Event = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(timeout=10)
            event = Outcome(self._slot, message=self._death(), broken=True)
        if isinstance(event, Outcome):
            self.busy = False
        return event

    def _death(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; the machine may be out of memory" if code == -signal.SIGKILL else ""
            return f"its process was ended by {name}{hint}"
        return f"its process ended with exit code {code}; the log says more"

    def end(self) -> None:
        self.connection.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


def serve(connection: Connection, run: Run, slot: int, threads: int | None) -> None:
    """A worker process: takes orders from `connection` and answers with events, until it closes.

    Args:
        connection: To the process that orders.
        run: Runs a trial.
        slot: Of this worker; with several GPUs it takes one of them by it.
        threads: Threads it may use; None: as many as its libraries like.
    """
    if threads is not None:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    os.environ["ELMAN_TUNE_SLOT"] = str(slot)
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, orders), daemon=True).start()
    while True:
        connection.send(_outcome(connection, run, slot, orders.get()))


def _listen(connection: Connection, orders: Any) -> None:
    """Hands orders on, and ends the process in the middle of whatever it does when there are no
    more to come.
    """
    try:
        while True:
            orders.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _outcome(connection: Connection, run: Run, slot: int, order: Order) -> Outcome:
    since = time.monotonic()
    try:
        result = run(order, lambda epoch, values: connection.send(Epoch(slot, epoch, dict(values))))
    except Exception as error:
        kind = "" if isinstance(error, ElmanError) else f"{type(error).__name__}: "
        message = f"{kind}{error}".strip()
        return Outcome(slot, seconds=time.monotonic() - since, message=message)
    return Outcome(
        slot,
        val_loss=result.val_loss,
        best_epoch=result.best_epoch,
        epochs=result.epochs,
        seconds=time.monotonic() - since,
    )
