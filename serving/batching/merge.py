"""Arrays of several tasks as one, and back.

After tensorflow/serving, batching/batching_session.cc and batching_util.cc.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serving.batching.task import Task, Values, rows_of
from serving.engine.servable import Array


def merged(tasks: Sequence[Task], size: int, *, ragged: bool) -> dict[str, Array]:
    """The feeds of `tasks` one behind the other.

    Args:
        tasks: Of one kind.
        size: Rows wanted; if they are more, the first row of the last task is repeated, for it is
            certainly a valid row.
        ragged: Whether arrays are padded to the longest in each dimension but the first.
    """
    feeds: dict[str, Array] = {}
    extra = size - rows_of(tasks)
    for name in tasks[0].feeds:
        arrays = [task.feeds[name] for task in tasks]
        if ragged:
            arrays = as_long(arrays)
        if extra:
            arrays.append(np.repeat(arrays[-1][:1], extra, axis=0))
        feeds[name] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return feeds


def as_long(arrays: Sequence[Array]) -> list[Array]:
    """`arrays` of equal rank, each padded to the longest in every dimension but the first.

    The padding is an array's own first element, which has the right type whatever that is. An empty
    array has none, and stays as it is.
    """
    longest = np.max([array.shape for array in arrays], axis=0)[1:]
    padded = []
    for array in arrays:
        widths = [(0, 0), *((0, int(n)) for n in longest - array.shape[1:])]
        if array.size and any(after for _, after in widths):
            array = np.pad(array, widths, constant_values=array.flat[0])
        padded.append(array)
    return padded


def split(values: Values, tasks: Sequence[Task], size: int) -> list[Values] | None:
    """The values of each task, out of a run on `merged(tasks, size)`.

    Returns:
        None if a value has not one row for each row that was fed.
    """
    if any(value.ndim == 0 or value.shape[0] != size for value in values):
        return None
    parts = []
    start = 0
    for task in tasks:
        parts.append([value[start : start + task.rows] for value in values])
        start += task.rows
    return parts
