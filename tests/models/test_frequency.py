"""Frequencies against pandas' own date ranges."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInputError
from models.frequency import Frequency

ALIASES = (
    "s", "15s", "min", "15min", "90min", "h", "6h", "D", "2D", "W", "W-SAT", "2W-WED",
    "MS", "ME", "2MS", "QS", "QE-FEB", "YS", "YE", "B", "BME", "SMS",
)  # fmt: skip


def seconds(index: pd.DatetimeIndex) -> np.ndarray:
    return index.to_numpy().astype("datetime64[s]").astype(np.int64)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALIASES), st.integers(-(10**9), 3 * 10**9), st.integers(0, 300))
def test_grid_is_the_date_range_of_pandas(alias: str, start: int, steps: int) -> None:
    expected = seconds(
        pd.date_range(pd.Timestamp(start, unit="s"), periods=steps + 1, freq=alias, unit="s")
    )
    frequency = Frequency.parse(alias)
    grid = frequency.grid(start, int(expected[-1]))
    np.testing.assert_array_equal(grid, expected)
    np.testing.assert_array_equal(frequency.index_of(expected, int(expected[0])), range(steps + 1))
    assert frequency.steps_between(int(expected[0]), int(expected[-1])) == steps
    assert frequency.steps_between(int(expected[-1]), int(expected[0])) == -steps
    assert frequency.shift(int(expected[0]), steps) == expected[-1]
    assert frequency.shift(int(expected[-1]), -steps) == expected[0]
    assert frequency.on_grid(expected).all()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALIASES), st.integers(0, 2 * 10**9), st.data())
def test_times_off_the_grid_have_no_index(alias: str, start: int, data: st.DataObject) -> None:
    frequency = Frequency.parse(alias)
    first = int(frequency.grid(start, start + 900 * 86_400)[0])
    grid = frequency.grid(first, frequency.shift(first, 20))
    some = np.asarray(
        data.draw(st.lists(st.integers(int(grid[0]) - 5, int(grid[-1])), min_size=1)),
        np.int64,
    )
    place = {int(t): i for i, t in enumerate(grid)}
    expected = [place.get(int(t), -1) for t in some]
    assert frequency.index_of(some, first).tolist() == expected


@pytest.mark.parametrize(
    ("alias", "season"),
    [
        ("s", 60), ("15s", 4), ("min", 1440), ("60s", 1440), ("15min", 96), ("30min", 48),
        ("h", 24), ("90min", 16), ("7h", 24), ("12h", 2), ("D", 7), ("24h", 7), ("W-SAT", 52),
        ("2W", 26), ("MS", 12), ("ME", 12), ("2MS", 6), ("5MS", 1), ("QS", 4), ("QE-FEB", 4),
        ("YS", 1), ("YE-JUN", 1), ("B", 5), ("BME", 12), ("SMS", 24), ("5D", 1),
    ],
)  # fmt: skip
def test_season(alias: str, season: int) -> None:
    assert Frequency.parse(alias).season == season


@pytest.mark.parametrize(
    ("alias", "expected"),
    [("60min", "h"), ("24h", "D"), ("W", "W-SUN"), ("1h30min", "90min"), ("MS", "MS"),
     ("Q" "E", "QE-DEC"), ("1D", "D")],
)  # fmt: skip
def test_alias_is_canonical(alias: str, expected: str) -> None:
    assert Frequency.parse(alias).alias == expected


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        ("fortnight", "pandas offset alias"),
        ("H", "write h"),
        ("15T", "write min"),
        ("M", "MS (month start)"),
        ("hourly", "write h"),
        ("100ms", "at least one second"),
        ("1500ms", "whole seconds"),
        ("-1h", "forward"),
        ("0h", "at least one second"),
        ("0MS", "forward"),
        ("h-MON", "pandas offset alias"),
        ("", "pandas offset alias"),
    ],
)
def test_bad_alias(alias: str, words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Frequency.parse(alias)
    assert words in str(caught.value)
    assert repr(alias) in str(caught.value)


def test_steps_between_refuses_times_off_the_grid() -> None:
    with pytest.raises(BadInputError, match="whole number of steps"):
        Frequency.parse("h").steps_between(0, 3601)
    with pytest.raises(BadInputError, match="whole number of steps"):
        Frequency.parse("MS").steps_between(86_400, 31 * 86_400)


def test_anchors() -> None:
    saturday = 2 * 86_400
    assert Frequency.parse("W-SAT").on_grid([saturday, 0]).tolist() == [True, False]
    assert Frequency.parse("MS").on_grid([0, 31 * 86_400, 86_400]).tolist() == [
        True,
        True,
        False,
    ]
    assert Frequency.parse("h").on_grid([17]).all()


def test_mean_step() -> None:
    assert Frequency.parse("h").mean_step == 3600
    assert Frequency.parse("MS").mean_step == pytest.approx(365.25 * 86_400 / 12, rel=1e-3)


def test_constant_steps_need_no_pandas() -> None:
    code = (
        "import sys; from models.frequency import Frequency as F; "
        "f = F.parse('W-SAT'); f.grid(0, 10**9); f.season; f.index_of([5], 0); "
        "assert not {'pandas', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
