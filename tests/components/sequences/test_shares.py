"""Splits by hash: shares of every class, whatever else there is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sequences.ingest.shares import by_hash

SHARES = {"test": 0.15, "validation": 0.15}


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    test=st.floats(0.01, 0.5),
    validation=st.floats(0.01, 0.49),
    seed=st.integers(0, 5),
)
def test_every_class_has_its_share_but_for_rounding(
    sizes: list[int], test: float, validation: float, seed: int
) -> None:
    classes = [f"c{k}" for k, n in enumerate(sizes) for _ in range(n)]
    ids = [f"s{i}" for i in range(len(classes))]
    splits = by_hash(ids, classes, {"test": test, "validation": validation}, seed)
    for k, n in enumerate(sizes):
        found = Counter(s for s, c in zip(splits, classes, strict=True) if c == f"c{k}")
        assert found["train"] >= 1
        # The last of a class stays in train: that is one fewer elsewhere.
        assert found["test"] - test * n < 1
        assert found["validation"] - validation * n < 1
        assert found["train"] - (1 - test - validation) * n < 1 or found["train"] == 1
        assert found["train"] - (1 - test - validation) * n > -1


def test_small_classes_give_the_splits_their_share_together() -> None:
    classes = [f"c{i // 3}" for i in range(3000)]
    splits = Counter(by_hash([str(i) for i in range(3000)], classes, SHARES, 7))
    assert splits["test"] == pytest.approx(450, abs=75)
    assert splits["validation"] == pytest.approx(450, abs=75)


def test_one_class_is_cut_to_the_nearest() -> None:
    ids = [str(i) for i in range(101)]
    splits = Counter(by_hash(ids, [None] * 101, {"test": 0.1, "validation": 0.2}, 0))
    assert splits == {"train": 71, "validation": 20, "test": 10}


def test_the_order_of_sequences_does_not_matter_and_the_seed_does() -> None:
    ids = [f"s{i}" for i in range(200)]
    classes = [f"c{i % 3}" for i in range(200)]
    splits = dict(zip(ids, by_hash(ids, classes, SHARES, 7), strict=True))
    back = dict(zip(ids[::-1], by_hash(ids[::-1], classes[::-1], SHARES, 7), strict=True))
    assert splits == back
    other = by_hash(ids, classes, SHARES, 8)
    assert sum(a != b for a, b in zip(splits.values(), other, strict=True)) > 60


def test_new_sequences_move_few_of_the_old() -> None:
    ids = [f"s{i}" for i in range(2200)]
    classes = ["ab"[i % 2] for i in range(2200)]
    before = by_hash(ids[:2000], classes[:2000], SHARES, 7)
    after = by_hash(ids, classes, SHARES, 7)
    assert sum(a != b for a, b in zip(before, after[:2000], strict=True)) < 60


def test_the_split_of_an_id_is_the_same_on_every_machine() -> None:
    splits = by_hash(list("abcdefghij"), [None] * 10, {"test": 0.2, "validation": 0.2}, 7)
    assert "".join(s[:2] for s in splits) == "trtetrtrtrvavatrtetr"
