"""`run_batch`: runs tasks together, in a thread, so that none suffers for another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from serving.batching.merge import merged, split
from serving.batching.settings import BatchingSettings
from serving.batching.task import Task, Values, rows_of, too_late
from serving.engine.failure import failure
from serving.engine.servable import Arrays
from serving.status import ServingError


@dataclass
class Outcome:
    """What came of a batch.

    Attributes:
        results: Of each task, in order.
        calls: Rows and seconds of each run of the model.
        divisible: False if the outputs could not be divided among the tasks: such tasks can never
            run together.
    """

    results: list[Values | ServingError]
    calls: list[tuple[int, float]] = field(default_factory=list)
    divisible: bool = True


def run_batch(tasks: Sequence[Task], settings: BatchingSettings) -> Outcome:
    """Runs tasks of one kind as one batch.

    If that fails, each is run by itself: one row that the model cannot read is no reason to fail
    the others. TF Serving answers all of them with the same error.
    """
    size = settings.padded(rows_of(tasks))
    if len(tasks) == 1 and size == tasks[0].rows:
        return run_each(tasks)
    outcome = Outcome([])
    try:
        feeds = merged(tasks, size, ragged=settings.pad_variable_length_inputs)
        values = _run(tasks[0], feeds, size, outcome)
    except Exception:
        # The task that is to blame gets its own error below.
        return _each(tasks, outcome)
    parts = split(values, tasks, size)
    if parts is None:
        outcome.divisible = False
        return _each(tasks, outcome)
    outcome.results.extend(parts)
    return outcome


def run_each(tasks: Sequence[Task]) -> Outcome:
    """Runs each task by itself, unless its client has given up."""
    return _each(tasks, Outcome([]))


def _each(tasks: Sequence[Task], outcome: Outcome) -> Outcome:
    for task in tasks:
        if task.answer.done():
            outcome.results.append(too_late())
            continue
        try:
            outcome.results.append(_run(task, task.feeds, task.rows, outcome))
        except Exception as error:
            outcome.results.append(failure(error))
    return outcome


def _run(task: Task, feeds: Arrays, rows: int, outcome: Outcome) -> Values:
    start = time.perf_counter()
    values = task.servable.run_tensors(feeds, task.fetches)
    outcome.calls.append((rows, time.perf_counter() - start))
    return values
