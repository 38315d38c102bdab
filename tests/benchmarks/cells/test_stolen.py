"""Turns that others disturbed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cells.stolen import AGAIN, TOLERATED, least_disturbed, ticks


@given(shares=st.lists(st.integers(0, 100), min_size=AGAIN, max_size=AGAIN))
def test_the_first_quiet_turn_counts_or_the_quietest_of_all(shares: list[int]) -> None:
    taken = 0

    def turn() -> int:
        nonlocal taken
        taken += 1
        return taken - 1

    def clock() -> tuple[float, float]:
        return float(sum(shares[:taken])), 100.0 * taken

    number, share = least_disturbed(turn, clock)

    assert share == pytest.approx(shares[number] / 100)
    quiet = [i for i, each in enumerate(shares) if each / 100 <= TOLERATED]
    assert number == (quiet[0] if quiet else shares.index(min(shares)))
    assert taken == (quiet[0] + 1 if quiet else AGAIN)


def test_the_kernels_numbers_are_read_as_it_documents_them(tmp_path: Path) -> None:
    file = tmp_path / "stat"
    # user nice system idle iowait irq softirq steal guest guest_nice, in hundredths of a second
    file.write_text("cpu  100 200 300 400 500 600 700 800 50 60\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
    assert ticks(file) == (8.0, 36.0)


def test_a_system_that_does_not_tell_has_stolen_nothing(tmp_path: Path) -> None:
    clock = lambda: ticks(tmp_path / "none")  # noqa: E731
    assert least_disturbed(lambda: "found", clock) == ("found", 0.0)
