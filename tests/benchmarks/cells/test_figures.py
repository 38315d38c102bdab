"""Ratios, shares and bounds."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cells.figures import Bound, Figure, share_of_peak, times_faster

SECONDS = st.floats(1e-4, 1e3)
ROUNDS = st.lists(st.tuples(SECONDS, SECONDS, st.floats(0.1, 10)), min_size=1, max_size=9)


@given(rounds=ROUNDS)
def test_a_ratio_is_of_turns_of_the_same_round(rounds: list[tuple[float, float, float]]) -> None:
    ours, theirs = Figure.of([a for a, _, _ in rounds]), Figure.of([b for _, b, _ in rounds])
    ratio = times_faster(ours, theirs)
    assert ratio.median == pytest.approx(statistics.median(b / a for a, b, _ in rounds))
    # A machine that is slower in one round, for both, changes nothing.
    slowed = times_faster(
        Figure.of([a * f for a, _, f in rounds]), Figure.of([b * f for _, b, f in rounds])
    )
    assert slowed.values == pytest.approx(ratio.values)
    back = times_faster(theirs, ours)
    assert [a * b for a, b in zip(ratio.values, back.values, strict=True)] == pytest.approx(
        [1.0] * len(rounds)
    )


def test_twice_as_fast_is_two() -> None:
    assert times_faster(Figure.of([1.0, 2.0]), Figure.of([2.0, 4.0])).values == (2.0, 2.0)


def test_rounds_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        times_faster(Figure.of([1.0, 2.0]), Figure.of([1.0]))
    with pytest.raises(ValueError, match="at least one round"):
        Figure.of([])


@given(rounds=ROUNDS, flops=st.floats(1, 1e12))
def test_a_step_that_takes_as_long_as_its_products_at_the_peak_is_at_the_peak(
    rounds: list[tuple[float, float, float]], flops: float
) -> None:
    peaks = [peak for _, peak, _ in rounds]
    at_peak = Figure.of([flops / peak for peak in peaks])
    assert share_of_peak(flops, at_peak, Figure.of(peaks)).values == pytest.approx(
        [1] * len(rounds)
    )
    slower = Figure.of([4 * s for s in at_peak.values])
    assert share_of_peak(flops, slower, Figure.of(peaks)).median == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("values", "met"), [((0.1, 2.0, 9.0), True), ((1.9, 1.99, 9.0), False), ((2.0,), True)]
)
def test_a_bound_is_of_the_median(values: tuple[float, ...], met: bool) -> None:
    bound = Bound("x", Figure.of(values), 2.0)
    assert bound.met is met
    assert bound.json()["met"] is met
    assert ("MISSED" in bound.line()) is not met
