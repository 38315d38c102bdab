"""Which versions should be served, where some cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.aspired import aspired
from serving.engine.settings import VersionPolicy


@pytest.mark.parametrize(
    ("policy", "bad", "expected"),
    [
        (VersionPolicy(), set(), [5]),
        (VersionPolicy(), {5}, [5, 4]),
        (VersionPolicy(), {5, 4}, [5, 4, 3]),
        (VersionPolicy(), {3}, [5]),
        (VersionPolicy(), {1, 2, 3, 4, 5}, [5, 4, 3, 2, 1]),
        (VersionPolicy.newest(2), {4}, [5, 4, 3]),
        (VersionPolicy.newest(9), {4}, [5, 4, 3, 2, 1]),
        (VersionPolicy.all(), {5}, [5, 4, 3, 2, 1]),
        (VersionPolicy.only(2, 7), {2}, [2]),
    ],
)
def test_what_is_not_good_does_not_count(
    policy: VersionPolicy, bad: set[int], expected: list[int]
) -> None:
    assert aspired(policy, [3, 1, 2, 5, 4], lambda version: version not in bad) == expected


@given(st.integers(1, 4), st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_the_newest_good_ones_are_among_them(count: int, versions: set[int], bad: set[int]) -> None:
    chosen = aspired(VersionPolicy.newest(count), versions, lambda version: version not in bad)
    good = sorted(versions - bad, reverse=True)[:count]
    assert [version for version in chosen if version not in bad] == good
    assert chosen == sorted(versions, reverse=True)[: len(chosen)]
    if len(good) == count:
        assert chosen[-1] == good[-1]
