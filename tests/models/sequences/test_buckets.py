"""Length buckets lose nothing, repeat nothing, and depend on seed and epoch alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.sequences.buckets import MOST, Buckets

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=300)


@given(LENGTHS, st.integers(1, 9), st.integers(0, 5), st.integers(0, 3))
def test_every_sequence_is_in_one_batch_that_is_long_enough(
    lengths: list[int], size: int, seed: int, epoch: int
) -> None:
    steps = np.array(lengths)
    buckets = Buckets.of(steps, size)
    for table, padded in (buckets.epoch(seed, epoch), buckets.in_order()):
        assert table.shape == (-(-len(steps) // size), size)
        assert sorted(table[table >= 0]) == list(range(len(steps)))
        assert (table >= 0).any(axis=1).all()
        assert len(set(padded)) <= MOST
        for row, length in zip(table, padded, strict=True):
            longest = steps[row[row >= 0]].max()
            # The least edge that will do.
            assert length == min(edge for edge in buckets.edges if edge >= longest)


@given(LENGTHS, st.integers(1, 9))
def test_an_epoch_can_be_made_again(lengths: list[int], size: int) -> None:
    steps = np.array(lengths)
    first, again = (Buckets.of(steps, size).epoch(3, 5) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_epochs_and_seeds_differ() -> None:
    buckets = Buckets.of(np.random.default_rng(1).integers(1, 50, 400), 8)
    orders = {buckets.epoch(seed, epoch)[0].tobytes() for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4


def test_buckets_save_most_of_the_padding() -> None:
    steps = np.random.default_rng(2).geometric(0.05, 4000)
    table, padded = Buckets.of(steps, 32).epoch(1, 0)
    in_buckets = (padded * (table >= 0).sum(axis=1)).sum()
    shuffled = np.array([part.max() * len(part) for part in np.split(steps, 4000 // 32)]).sum()
    assert in_buckets - steps.sum() < 0.3 * (shuffled - steps.sum())


def test_members_of_a_batch_change_from_epoch_to_epoch() -> None:
    steps = np.random.default_rng(2).integers(5, 30, 256)
    buckets = Buckets.of(steps, 16)
    groups = [
        {frozenset(row[row >= 0].tolist()) for row in buckets.epoch(7, epoch)[0]}
        for epoch in range(3)
    ]
    assert not groups[0] & groups[1]
    assert not groups[1] & groups[2]
