"""Interleaved turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cells.rounds import interleaved, orders

NAMES = st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True)


@given(names=NAMES, rounds=st.integers(1, 7))
def test_every_side_has_one_turn_in_every_round(names: list[str], rounds: int) -> None:
    calls: list[str] = []

    def turn(name: str) -> float:
        calls.append(name)
        return len(calls)

    found = interleaved(names, rounds, turn)
    for number in range(rounds):
        assert sorted(calls[number * len(names) : (number + 1) * len(names)]) == sorted(names)
    # The value of a side's n-th round is what its own n-th turn gave, whatever the order was.
    for name in names:
        assert found[name] == [i + 1 for i, called in enumerate(calls) if called == name]


@given(names=NAMES, pairs=st.integers(1, 4))
def test_over_two_rounds_no_side_comes_later_than_another(names: list[str], pairs: int) -> None:
    places = dict.fromkeys(names, 0)
    for order in orders(names, 2 * pairs):
        for place, name in enumerate(order):
            places[name] += place
    assert len(set(places.values())) == 1
