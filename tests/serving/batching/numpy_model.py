"""A model in numpy that keeps what it was run on, and a client that asks a `Runner` for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from serving.batching.runner import Runner
from serving.batching.settings import BatchingSettings
from serving.engine.call import Call
from serving.engine.servable import Array, Servable
from serving.observer import Silent
from serving.status import Code, ServingError
from tests.serving.event_loop import until

POISON = -1.0


class NumpyModel:
    """`y = 2 x + 3`, `version` times; fails as a whole if one of its rows is poison.

    Attributes:
        runs: The `x` of each run.
        gate: Every run waits for it.
    """

    def __init__(self, name: str = "m", version: int = 1) -> None:
        self.name, self.version = name, version
        self.runs: list[Array] = []
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def run_tensors(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        x = feeds["x"]
        with self._lock:
            self.runs.append(x)
        if not self.gate.wait(60):
            raise TimeoutError
        if x.dtype != object and (x == POISON).any():
            raise ServingError(Code.INVALID_ARGUMENT, "could not parse a row")
        made = {"y": self._y, "sum": np.sum, "first": lambda x: x[:1]}
        return [np.asarray(made[name](x)) for name in fetches]

    def _y(self, x: Array) -> Array:
        return answer(x, self.version)

    @property
    def sizes(self) -> list[int]:
        """Rows of each run; -1 for a scalar."""
        return [x.shape[0] if x.ndim else -1 for x in self.runs]


def answer(x: Array, version: int = 1) -> Array:
    """What `NumpyModel` answers to a request by itself."""
    return x if x.dtype == object else (2 * x + 3) * np.asarray(version, x.dtype)


def call(x: Array, *fetches: str, bypass: bool = False) -> Call:
    rows = None if bypass or x.ndim == 0 else x.shape[0]
    return Call({"x": x}, fetches or ("y",), rows)


def rows(*values: float) -> Array:
    """float32 [rows, 1]."""
    return np.array(values, np.float32)[:, None]


class Bench(Silent):
    """A runner with its clients.

    Attributes:
        runner: Under test.
        released: How often each request has given its servable back, in the order they began.
        batches: (rows, requests) of each batch.
        waiting: How many requests waited, as it was told last.
    """

    def __init__(self, settings: BatchingSettings | None, threads: int = 4) -> None:
        self.runner = Runner(settings, threads, self)
        self.released: list[int] = []
        self.batches: list[tuple[int, int]] = []
        self.calls: list[int] = []
        self.waiting = 0

    def batch(self, *, model: str, rows: int, requests: int, waited: float) -> None:
        assert waited >= 0
        self.batches.append((rows, requests))

    def queue(self, *, model: str, waiting: int) -> None:
        self.waiting = waiting

    def model_call(self, *, model: str, version: int, seconds: float, rows: int) -> None:
        self.calls.append(rows)

    async def ask(self, model: NumpyModel, what: Call | Array, seconds: float | None = None) -> Any:
        """The only value, or the values, of a call; `seconds` until its deadline."""
        number = len(self.released)
        self.released.append(0)

        def release() -> None:
            self.released[number] += 1

        made = call(what) if isinstance(what, np.ndarray) else what
        now = asyncio.get_running_loop().time()
        deadline = None if seconds is None else now + seconds
        values = await self.runner.run(cast(Servable, model), made, deadline, release)
        return values[0] if len(made.fetches) == 1 else values

    def asking(self, model: NumpyModel, what: Call | Array, seconds: float | None = None) -> Any:
        """`ask`, begun."""
        return asyncio.ensure_future(self.ask(model, what, seconds))


@contextlib.contextmanager
def bench(settings: BatchingSettings | None, threads: int = 4) -> Iterator[Bench]:
    made = Bench(settings, threads)
    try:
        yield made
    finally:
        made.runner.close()


def code_of(result: Any) -> Code:
    """The code of an error that `gather` gave back."""
    assert isinstance(result, ServingError), result
    return result.code


PATIENT = BatchingSettings(max_batch_size=4, batch_timeout_micros=600_000_000)
"""Waits ten minutes, so that a test which waited for the timeout would fail."""


async def occupied(made: Bench, model: NumpyModel, *requests: Array) -> list[Any]:
    """Makes one request run and wait, and `requests` gather behind it."""
    model.gate.clear()
    first = made.asking(model, rows(0))
    await until(lambda: len(model.runs) == 1)
    asked = [made.asking(model, x) for x in requests]
    await until(lambda: made.waiting == len(requests))
    return [first, *asked]


async def results(asked: list[Any]) -> list[Any]:
    """What came of each; an error is its result."""
    return list(await asyncio.gather(*asked, return_exceptions=True))
