"""`Lanes`: tasks that wait, each behind those that it can run with."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable
from typing import TypeVar

from serving.batching.settings import BatchingSettings
from serving.batching.task import Group, Task
from serving.status import Code, ServingError

K = TypeVar("K")


class Lane:
    """Tasks of one kind in the order they came."""

    __slots__ = ("rows", "tasks")

    def __init__(self) -> None:
        self.tasks: deque[Task] = deque()
        self.rows = 0


class Lanes:
    """Lanes by kind, the one that was served least recently first.

    Args:
        settings: Say how much may wait, and how much makes a batch.
    """

    def __init__(self, settings: BatchingSettings) -> None:
        self._settings = settings
        self._ragged = settings.pad_variable_length_inputs
        self._lanes: dict[Hashable, Lane] = {}
        self._full: dict[Hashable, None] = {}
        self._rows: Counter[Group] = Counter()
        self._tasks: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._lanes)

    def waiting(self, model: str) -> int:
        """Tasks of `model` that wait."""
        return self._tasks[model]

    def admit(self, group: Group, rows: int) -> None:
        """Sees that `rows` more may wait.

        Raises:
            ServingError: RESOURCE_EXHAUSTED if they may not.
        """
        waiting = self._rows[group]
        if waiting + rows > self._settings.most_waiting:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                "The batch scheduling queue to which this task was submitted is full: "
                f"{waiting} of at most {self._settings.most_waiting} rows wait, and the request "
                f"has {rows}; try again later",
            )

    def add(self, task: Task) -> None:
        """Puts a task at the end of its lane."""
        kind = task.kind(ragged=self._ragged)
        lane = self._lanes.get(kind)
        if lane is None:
            lane = self._lanes[kind] = Lane()
        lane.tasks.append(task)
        self._count(kind, lane, task, 1)

    def discard(self, task: Task) -> bool:
        """Takes a task out if it still waits; returns whether it did."""
        kind = task.kind(ragged=self._ragged)
        lane = self._lanes.get(kind)
        if lane is None:
            return False
        try:
            lane.tasks.remove(task)
        except ValueError:
            return False
        self._count(kind, lane, task, -1)
        if not lane.tasks:
            del self._lanes[kind]
        return True

    def due(self, now: float, *, idle: bool) -> Hashable | None:
        """The lane to make a batch of now; None if all may wait.

        Args:
            now: Time of the event loop.
            idle: Whether nothing is running.
        """
        if not self._lanes:
            return None
        first = next(iter(self._lanes))
        waited = self._patience(self._lanes[first]) - now
        if (idle and self._settings.start_when_idle) or waited <= 0:
            return first
        return next(iter(self._full), None)

    def patience(self) -> float | None:
        """When the first lane has waited long enough, time of the event loop."""
        return self._patience(next(iter(self._lanes.values()))) if self._lanes else None

    def take(self, kind: Hashable) -> list[Task]:
        """The next batch of a lane: as many of its tasks, in order, as fit."""
        lane = self._lanes.pop(kind)
        room = self._settings.max_batch_size
        batch: list[Task] = []
        while lane.tasks and lane.tasks[0].rows <= room:
            task = lane.tasks.popleft()
            room -= task.rows
            batch.append(task)
            self._count(kind, lane, task, -1)
        if lane.tasks:
            self._lanes[kind] = lane  # behind the other lanes
        return batch

    def _patience(self, lane: Lane) -> float:
        return lane.tasks[0].arrived + self._settings.batch_timeout_micros / 1e6

    def _count(self, kind: Hashable, lane: Lane, task: Task, sign: int) -> None:
        lane.rows += sign * task.rows
        _add(self._rows, task.group, sign * task.rows)
        _add(self._tasks, task.servable.name, sign)
        if lane.rows >= self._settings.max_batch_size:
            self._full[kind] = None
        else:
            self._full.pop(kind, None)


def _add(counter: Counter[K], key: K, change: int) -> None:
    """Counts, and leaves nothing behind of versions and models that are gone."""
    counter[key] += change
    if not counter[key]:
        del counter[key]
