"""`Task`: a request on its way to the model, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from serving.engine.servable import Array, Servable
from serving.status import Code, ServingError

Values = list[Array]
Group = tuple[int, tuple[str, ...], tuple[str, ...]]
"""A version (by identity), and what is fed and fetched."""


@dataclass(eq=False)
class Task:
    """A request that waits for a run, or is being run.

    Attributes:
        servable: The version that answers it.
        feeds: Arrays by the name of a tensor in the graph.
        fetches: Names of tensors in the graph, in the order of the answer.
        rows: Of the batch; 0 if it must run by itself.
        arrived: Time of the event loop.
        release: Called once, when it needs the servable no more.
        answer: The values of the fetches; done early if the client gives up.
        alarm: Rings at the deadline.
    """

    servable: Servable
    feeds: Mapping[str, Array]
    fetches: tuple[str, ...]
    rows: int
    arrived: float
    release: Callable[[], None]
    answer: asyncio.Future[Values]
    alarm: asyncio.TimerHandle | None = None
    group: Group = field(init=False)

    def __post_init__(self) -> None:
        self.group = (id(self.servable), self.fetches, tuple(self.feeds))

    def kind(self, *, ragged: bool) -> Hashable:
        """What tasks have in common that can run together.

        Args:
            ragged: Whether dimensions other than the first may differ.
        """
        if ragged:
            return self.group, tuple((a.dtype.num, a.ndim) for a in self.feeds.values())
        return self.group, tuple((a.dtype.num, a.shape[1:]) for a in self.feeds.values())

    def finish(self, result: Values | ServingError) -> None:
        """Gives the answer, unless the client has given up, and the servable back."""
        if self.alarm is not None:
            self.alarm.cancel()
        if not self.answer.done():
            if isinstance(result, ServingError):
                self.answer.set_exception(result)
            else:
                self.answer.set_result(result)
        self.release()

    def expire(self) -> None:
        """Tells the client that its deadline has passed; a run that has begun goes on."""
        if not self.answer.done():
            self.answer.set_exception(too_late())

    def part(
        self, start: int, stop: int, answer: asyncio.Future[Values], release: Callable[[], None]
    ) -> Task:
        """The rows from `start` up to `stop`, as a task of their own."""
        feeds = {name: array[start:stop] for name, array in self.feeds.items()}
        rows = stop - start
        return Task(self.servable, feeds, self.fetches, rows, self.arrived, release, answer)


def too_late() -> ServingError:
    """The status of a request whose deadline has passed."""
    return ServingError(
        Code.DEADLINE_EXCEEDED,
        "the deadline of the request passed before it was answered; allow it more time, or send "
        "less",
    )


def rows_of(tasks: Sequence[Task]) -> int:
    """Rows of all tasks together."""
    return sum(task.rows for task in tasks)
