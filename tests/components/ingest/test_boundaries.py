"""How many steps each split gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.boundaries import split_steps
from components.ingest.config import SplitConfig
from models.errors import BadInputError


@given(steps=st.integers(100, 10_000), a=st.integers(1, 49), b=st.integers(1, 49))
def test_fractions_are_exact_and_rounded_down(steps: int, a: int, b: int) -> None:
    split = SplitConfig(validation=a / 100, test=b / 100)
    train, validation, test = split_steps(split, steps)
    assert (validation, test) == (steps * a // 100, steps * b // 100)
    assert train + validation + test == steps


def test_whole_numbers_are_steps() -> None:
    assert split_steps(SplitConfig(validation=10, test=5), 100) == (85, 10, 5)
    assert split_steps(SplitConfig(train=8640, validation=2880, test=2880), 17420) == (
        8640, 2880, 2880,
    )  # fmt: skip
    assert split_steps(SplitConfig(train=10, validation=0.1, test=0.2), 100) == (10, 10, 20)


@pytest.mark.parametrize(
    ("split", "steps", "message"),
    [
        (SplitConfig(validation=60, test=40), 100, "leaves 0 for train"),
        (SplitConfig(validation=0.01), 50, "leaves 0 for validation"),
        (SplitConfig(train=90, validation=10, test=10), 100, "only 100"),
    ],
)
def test_a_split_that_cannot_be(split: SplitConfig, steps: int, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        split_steps(split, steps)
