"""`Runner`: runs requests in threads, together where that is possible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from serving.batching.lanes import Lanes
from serving.batching.run import Outcome, run_batch, run_each
from serving.batching.settings import BatchingSettings
from serving.batching.task import Task, Values, rows_of, too_late
from serving.engine.call import Call
from serving.engine.failure import failure
from serving.engine.servable import Servable
from serving.observer import Observer
from serving.status import Code, ServingError


class Runner:
    """Runs calls; belongs to one event loop.

    With batching, a request that finds nothing running is started at once; those that come
    meanwhile gather, and start when a batch is full, when the first of them has waited for
    `batch_timeout_micros` and a thread is free, or when nothing is running any more. A batch has
    requests for one version, one signature and the same outputs only.

    Args:
        settings: None: no batching.
        threads: Calls that run at the same time, besides batches.
        observer: Hears of runs.
    """

    def __init__(self, settings: BatchingSettings | None, threads: int, observer: Observer) -> None:
        self._settings = settings
        self._observer = observer
        self._lanes = Lanes(settings or BatchingSettings())
        self._singles = ThreadPoolExecutor(threads, thread_name_prefix="run")
        self._batches = ThreadPoolExecutor(
            settings.num_batch_threads if settings else 1, thread_name_prefix="batch"
        )
        self._running = 0
        self._unfinished = 0
        self._quiet: asyncio.Event | None = None
        self._alone: WeakKeyDictionary[Servable, set[object]] = WeakKeyDictionary()
        self._soon: asyncio.Handle | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def run(
        self,
        servable: Servable,
        call: Call,
        deadline: float | None,
        release: Callable[[], None],
    ) -> Values:
        """The values of a call.

        Args:
            servable: The version.
            call: What to run on it.
            deadline: Time of the event loop at which to give up.
            release: Called once, in any case, when the servable is needed no more: that can be
                after the deadline, for a run cannot be interrupted.

        Raises:
            ServingError: If the model fails; DEADLINE_EXCEEDED; RESOURCE_EXHAUSTED if too many
                requests wait.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        answer: asyncio.Future[Values] = loop.create_future()
        task = Task(servable, call.feeds, call.fetches, call.rows or 0, now, release, answer)
        try:
            if deadline is not None and deadline <= now:
                raise too_late()
            self._unfinished += 1
            task.release = partial(self._finished, release)
            self._start(task)
        except BaseException:
            task.release()
            raise
        if deadline is not None and not answer.done():
            task.alarm = loop.call_at(deadline, self._expire, task)
        try:
            return await answer
        except asyncio.CancelledError:
            self._give_up(task)
            raise

    async def drain(self) -> None:
        """Waits until nothing waits or runs."""
        while self._unfinished:
            self._quiet = self._quiet or asyncio.Event()
            await self._quiet.wait()

    def close(self) -> None:
        """Lets the threads go; nothing can be run afterwards."""
        self._singles.shutdown(wait=False)
        self._batches.shutdown(wait=False)

    def _start(self, task: Task) -> None:
        settings = self._settings
        if settings is None or not task.rows or self._is_alone(task):
            self._launch(self._singles, run_each, [task])
        elif task.rows <= settings.max_batch_size:
            self._lanes.admit(task.group, task.rows)
            self._wait(task)
        elif settings.enable_large_batch_splitting:
            self._divide(task, settings.max_batch_size)
        else:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"Task size {task.rows} is larger than maximum input batch size "
                f"{settings.max_batch_size}",
            )

    def _wait(self, task: Task) -> None:
        self._lanes.add(task)
        self._tell_queue(task.servable.name)
        if self._soon is None:  # what the loop has read already may join
            self._soon = asyncio.get_running_loop().call_soon(self._pump)

    def _divide(self, task: Task, size: int) -> None:
        """Lets a task wait in parts; its answer is theirs put together."""
        self._lanes.admit(task.group, task.rows)
        loop = asyncio.get_running_loop()
        parts: list[Task] = []
        for start in range(0, task.rows, size):
            answer: asyncio.Future[Values] = loop.create_future()
            stop = min(start + size, task.rows)
            parts.append(task.part(start, stop, answer, lambda: None))
        together = asyncio.gather(*(part.answer for part in parts), return_exceptions=True)
        together.add_done_callback(partial(_put_together, task))
        task.answer.add_done_callback(partial(self._give_up_parts, parts))
        for part in parts:
            self._wait(part)

    def _pump(self) -> None:
        """Starts the batches that are due, as far as there are threads."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        settings = self._settings
        assert settings is not None
        loop = asyncio.get_running_loop()
        while self._running < settings.num_batch_threads:
            kind = self._lanes.due(loop.time(), idle=not self._running)
            if kind is None:
                patience = self._lanes.patience()
                if patience is not None:
                    self._alarm = loop.call_at(patience, self._pump)
                return
            batch = self._lanes.take(kind)
            self._running += 1
            name, waited = batch[0].servable.name, loop.time() - batch[0].arrived
            self._observer.batch(
                model=name, rows=rows_of(batch), requests=len(batch), waited=waited
            )
            self._tell_queue(name)
            self._launch(self._batches, partial(run_batch, settings=settings), batch)

    def _launch(
        self,
        threads: ThreadPoolExecutor,
        work: Callable[[Sequence[Task]], Outcome],
        tasks: list[Task],
    ) -> None:
        future = asyncio.get_running_loop().run_in_executor(threads, work, tasks)
        future.add_done_callback(partial(self._done, threads is self._batches, tasks))

    def _done(self, batch: bool, tasks: Sequence[Task], future: asyncio.Future[Outcome]) -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            known = failure(error or RuntimeError("the run was cancelled"))
            outcome = Outcome([known] * len(tasks))
        else:
            outcome = future.result()
        servable = tasks[0].servable
        for rows, seconds in outcome.calls:
            self._observer.model_call(
                model=servable.name, version=servable.version, seconds=seconds, rows=rows
            )
        if not outcome.divisible:
            self._alone.setdefault(servable, set()).add(tasks[0].group)
        for task, result in zip(tasks, outcome.results, strict=True):
            task.finish(result)
        if batch:
            self._running -= 1
            self._pump()

    def _is_alone(self, task: Task) -> bool:
        return bool(self._alone) and task.group in self._alone.get(task.servable, ())

    def _expire(self, task: Task) -> None:
        task.expire()
        self._give_up(task)

    def _give_up_parts(self, parts: Sequence[Task], answer: asyncio.Future[Values]) -> None:
        """Runs no part of a task that is answered, be it for its deadline or for another part."""
        assert answer.done()
        for part in parts:
            self._give_up(part)

    def _give_up(self, task: Task) -> None:
        if self._lanes.discard(task):
            self._tell_queue(task.servable.name)
            task.finish(too_late())

    def _finished(self, release: Callable[[], None]) -> None:
        release()
        self._unfinished -= 1
        if not self._unfinished and self._quiet is not None:
            self._quiet.set()
            self._quiet = None

    def _tell_queue(self, model: str) -> None:
        self._observer.queue(model=model, waiting=self._lanes.waiting(model))


def _put_together(whole: Task, parts: asyncio.Future[list[Values | BaseException]]) -> None:
    if parts.cancelled():
        whole.finish(too_late())
        return
    results = parts.result()
    values: list[Values] = []
    for result in results:
        if isinstance(result, BaseException):
            whole.finish(failure(result))
            return
        values.append(result)
    whole.finish([np.concatenate(columns) for columns in zip(*values, strict=True)])
