"""Streams and chunks against loops over every step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from models.windows.streams import Chunks, Streams, steps_with_labels
from tests.stores import HOUR, make_store


def store(spec: WindowSpec) -> SeriesStore:
    """Segments before, across and behind every boundary; train ends at 20, validation at 30."""
    spans = [("a", 0, 26), ("a", 28, 20), ("b", 5, 3), ("b", 10, 40), ("c", 22, 5)]
    return make_store([(s, h, np.arange(float(n))) for s, h, n in spans], spec, (20, 30, 50))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize(("horizon", "gap"), [(1, 0), (4, 0), (3, 2)])
def test_every_step_with_all_labels_in_the_split(split: str, horizon: int, gap: int) -> None:
    spec = WindowSpec(lookback=6, horizon=horizon, gap=gap, stride=3)
    made = store(spec)
    low, high = {"train": (0, 20), "validation": (20, 30), "test": (30, 50)}[split]
    expected = []
    for _, first, steps in made.segments:
        for t in range(first, first + steps):
            labels = range(t + 1 + gap, t + gap + horizon + 1)
            inside = all(r < first + steps for r in labels)
            if inside and all(low <= made.time[r] // HOUR < high for r in labels):
                expected.append(t)
    np.testing.assert_array_equal(steps_with_labels(made, split), expected)
    windows = set(made.origins[split].tolist())
    assert windows <= set(expected)


def test_streams_reach_from_the_start_of_a_segment_to_its_last_forecast() -> None:
    made = store(WindowSpec(lookback=2, horizon=1))
    rows = np.array([3, 20, 26, 60])  # in the first two segments and the fourth
    streams = Streams.to(made, rows)
    assert streams.first.tolist() == [0, 26, 49]
    assert streams.steps.tolist() == [21, 1, 12]
    assert streams.rows.tolist() == [*range(21), 26, *range(49, 61)]
    assert len(Streams.to(made, rows[:0])) == 0


@given(
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    lanes=st.integers(1, 6),
    length=st.integers(1, 15),
    seed=st.none() | st.integers(0, 99),
)
def test_every_stream_is_read_once_from_start_to_end(
    steps: list[int], lanes: int, length: int, seed: int | None
) -> None:
    first = np.cumsum([0, *steps[:-1]]) + 7
    streams = Streams(first.astype(np.int64), np.asarray(steps, np.int64))
    chunks = Chunks.of(
        streams, lanes, length, None if seed is None else np.random.default_rng(seed)
    )
    assert chunks.lanes == min(lanes, len(steps))
    found: dict[int, int] = {}
    for lane in range(chunks.lanes):
        start = at = -1
        for row, count, fresh in zip(
            chunks.first[:, lane], chunks.count[:, lane], chunks.fresh[:, lane], strict=True
        ):
            if count == 0:
                assert fresh
                assert row in first, "an empty lane reads something that is there"
                start = -1
                continue
            if fresh:
                start = at = int(row)
            assert start >= 0
            assert row == at, "a chunk begins where the one before it ended"
            assert found.get(start, 0) % length == 0, "only the last chunk is shorter"
            at += int(count)
            found[start] = found.get(start, 0) + int(count)
    assert found == dict(zip(first.tolist(), steps, strict=True))
    jobs = [-(-n // length) for n in steps]
    width = chunks.lanes
    assert len(chunks) <= sum(jobs) / width + (1 - 1 / width) * max(jobs)  # Graham, 1966
    assert len(chunks) == len(Chunks.of(streams, lanes, length))


def test_the_order_changes_with_the_generator_and_with_nothing_else() -> None:
    streams = Streams(np.arange(20) * 10, np.full(20, 10))
    drawn = [Chunks.of(streams, 4, 5, np.random.default_rng(s)).first for s in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
