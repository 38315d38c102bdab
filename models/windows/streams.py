"""Streams: series read from their start, and how they are put side by side in chunks."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.windows.origins import origins
from models.windows.store import SPLITS, SeriesStore

Rows = npt.NDArray[np.int64]


def steps_with_labels(store: SeriesStore, split: str) -> Rows:
    """Every step at which a stream has all its labels in `split`, whatever the stride.

    The rule for origins is that of windows with a lookback and a stride of 1: a stream forecasts
    from its first step on.

    Args:
        store: The series.
        split: `train`, `validation` or `test`.

    Returns:
        int64 [steps], rows of the store, ascending.
    """
    spec = store.spec.model_copy(update={"lookback": 1, "stride": 1})
    at = SPLITS.index(split)
    begins, ends = store.boundaries[at : at + 2]
    found = [np.empty(0, np.int64)]
    for _, first, steps in np.asarray(store.segments):
        low, high = np.searchsorted(store.time[first : first + steps], (begins, ends))
        found.append(first + origins(spec, int(steps), int(low), int(high)))
    return np.concatenate(found)


@dataclass(frozen=True)
class Streams:
    """Stretches of consecutive steps, each from the first step of a segment.

    Attributes:
        first: int64 [streams], row of the first step.
        steps: int64 [streams], at least 1.
    """

    first: Rows
    steps: Rows

    @classmethod
    def to(cls, store: SeriesStore, rows: Rows) -> Streams:
        """What has to be read to forecast at `rows` (ascending): every segment up to its last."""
        starts = np.asarray(store.segments[:, 1])
        segment = np.searchsorted(starts, rows, side="right") - 1
        last = np.flatnonzero(np.diff(segment, append=-1))
        first: Rows = starts[segment[last]]
        return cls(first, rows[last] - first + 1)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def rows(self) -> Rows:
        """All rows that are read, stream after stream, int64."""
        before = np.cumsum(self.steps) - self.steps
        return np.repeat(self.first - before, self.steps) + np.arange(int(self.steps.sum()))


@dataclass(frozen=True)
class Chunks:
    """What is read in one pass over streams, several of them side by side.

    Attributes:
        first: int64 [rounds, lanes], row of the first step of a chunk.
        count: int64 [rounds, lanes], steps of it; 0 where a lane has nothing left.
        fresh: bool [rounds, lanes], whether a stream begins, with no state.
    """

    first: Rows
    count: Rows
    fresh: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, streams: Streams, lanes: int, length: int, rng: np.random.Generator | None = None
    ) -> Chunks:
        """One pass in `lanes` lanes, `length` steps a round.

        Each stream is read in one lane from its first chunk to its last, and another begins where
        it ends. The longest streams are dealt first, each to the lane that is free first, so that
        few rounds are left with empty lanes (longest processing time: Graham, 1969, "Bounds on
        multiprocessing timing anomalies").

        Args:
            streams: At least one.
            lanes: At most this many streams are read at a time.
            length: Steps of a chunk; the last one of a stream may have fewer.
            rng: Draws which of the streams of equal length come first, and the order within
                lanes; None: always the same. The number of rounds does not depend on it.
        """
        chunks = -(-streams.steps // length)
        order = np.arange(len(streams)) if rng is None else rng.permutation(len(streams))
        order = order[np.argsort(-chunks[order], kind="stable")]
        width = min(lanes, len(streams))
        dealt: list[list[int]] = [[] for _ in range(width)]
        free = [(0, lane) for lane in range(width)]
        for stream in order:
            load, lane = heapq.heappop(free)
            dealt[lane].append(int(stream))
            heapq.heappush(free, (load + int(chunks[stream]), lane))
        rounds = max(load for load, _ in free)
        first = np.full((rounds, width), streams.first[0], np.int64)
        count = np.zeros((rounds, width), np.int64)
        fresh = np.ones((rounds, width), np.bool_)
        for lane, mine in enumerate(dealt):
            at = 0
            for stream in mine if rng is None else rng.permutation(mine):
                n, steps = int(chunks[stream]), int(streams.steps[stream])
                offsets = np.arange(n) * length
                first[at : at + n, lane] = streams.first[stream] + offsets
                count[at : at + n, lane] = np.minimum(length, steps - offsets)
                fresh[at + 1 : at + n, lane] = False
                at += n
        return cls(first, count, fresh)

    @property
    def lanes(self) -> int:
        """Streams side by side."""
        return int(self.first.shape[1])

    def __len__(self) -> int:
        return len(self.first)
