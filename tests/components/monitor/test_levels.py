"""Levels: what is far out, and which ranges it is taken from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.monitor.levels import FEWEST, MOST, level, ranges, rank


@settings(max_examples=50)
@given(st.integers(1, 5000), st.integers(1, 2000), st.integers(0, 3000))
def test_every_range_lies_after_what_it_is_held_against(blocks: int, width: int, gap: int) -> None:
    pairs = ranges(blocks, width, gap)
    assert len(pairs) == 0 or FEWEST <= len(pairs) <= MOST
    assert len(set(pairs)) == len(pairs)
    for end, start in pairs:
        assert blocks / 4 <= end <= start
        assert start - end <= gap
        assert start + width <= blocks


def test_the_gap_is_kept_where_there_is_room_for_it() -> None:
    assert {start - end for end, start in ranges(1000, 10, 100)} == {100}


def test_the_level_is_tukeys_outer_fence_but_never_above_the_largest() -> None:
    values = np.arange(9.0)  # quartiles 2 and 6
    assert level(values) == 8
    assert level(np.append(values, 100.0)) == pytest.approx(6.75 + 3 * 4.5)
    assert level(values[: FEWEST - 1]) is None


def test_the_rank_is_the_share_below() -> None:
    values = np.arange(10.0)
    assert rank(7.5, values) == 0.8
    assert rank(-1, values) == 0
    assert rank(1, values[:2]) is None
