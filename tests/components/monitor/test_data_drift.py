"""New rows against training rows: alarms where something changed, and not where it did not."""

from __future__ import annotations

import numpy as np
import pytest
import tfx.types  # noqa: F401 (before TFDV, which this build asks for)

from components.monitor.config import DataDriftConfig
from components.monitor.profile import count_rows
from components.monitor.report import Check
from tests.components.monitor.rows import (
    HOUR,
    ROLES,
    distributions,
    piece,
    profile_of,
    static_roles,
)

DAY = 24
YEAR = 365 * DAY
CONFIG = DataDriftConfig()


def daily(hours: np.ndarray, seed: int = 0) -> np.ndarray:
    """A daily and a weekly cycle with noise."""
    noise = np.random.default_rng(seed).normal(size=len(hours))
    week = 3 * np.sin(2 * np.pi * hours / (7 * DAY))
    return 10 * np.sin(2 * np.pi * hours / DAY) + week + noise


def yearly(hours: np.ndarray, seed: int = 0) -> np.ndarray:
    return daily(hours, seed) + 25 * np.sin(2 * np.pi * hours / YEAR)


def check(training: np.ndarray, new: np.ndarray, after: int = 0, least: int = 20) -> Check:
    """The check of `new` hours that come `after` hours after the training hours."""
    found = distributions(profile_of(piece(0, training)))
    part = piece(len(training) + after, new)
    counts = count_rows([part], ROLES, found.columns)
    times = (int(part.time.min()), int(part.time.max()))
    return found.check_data(counts, len(new), times, CONFIG, least)


@pytest.mark.parametrize("days", [1, 7, 30])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_distribution_is_no_drift(days: int, seed: int) -> None:
    hours = np.arange(200 * DAY)
    later = np.arange(200 * DAY, (200 + days) * DAY)
    found = check(daily(hours, seed), daily(later, seed + 100))
    assert found.state == "steady"
    assert found.findings[0].ranges > 20


def test_a_day_of_a_seasonal_year_is_far_from_the_year_and_still_no_drift() -> None:
    hours = np.arange(2 * YEAR)
    training = yearly(hours)
    alarms = 0
    for first in range(2 * YEAR, 3 * YEAR, 27 * DAY):
        found = check(
            training, yearly(np.arange(first, first + DAY), first), after=first - 2 * YEAR
        )
        [one] = found.findings
        assert one.value > CONFIG.threshold  # a plain threshold would cry every night
        alarms += one.drifted
    assert alarms == 0


def test_a_growing_series_is_no_drift_as_long_as_it_grows_as_before() -> None:
    hours = np.arange(400 * DAY)
    growing = daily(hours) + 0.05 * hours
    for gap in (0, 30 * DAY):
        later = np.arange(len(hours) + gap, len(hours) + gap + 7 * DAY)
        found = check(growing, daily(later, 1) + 0.05 * later, after=gap)
        assert found.state == "steady"


@pytest.mark.parametrize("days", [1, 7])
@pytest.mark.parametrize(
    "change",
    [lambda x: x + 15, lambda x: 3 * x, np.zeros_like, lambda x: x * np.nan],
    ids=["level shift", "scale", "stuck at zero", "missing"],
)
def test_a_change_is_drift(change, days: int) -> None:
    hours = np.arange(200 * DAY)
    new = change(daily(np.arange(200 * DAY, (200 + days) * DAY), 7))
    found = check(daily(hours), new)
    assert found.state == "drifted"
    [one] = found.findings
    assert one.value > one.limit >= CONFIG.threshold
    assert one.rank == 1
    assert "y (" in found.reason
    assert sum(one.bins.reference) == pytest.approx(1, abs=1e-4)
    assert sum(one.bins.new) == pytest.approx(1, abs=1e-4)


def test_one_odd_day_in_training_does_not_hide_later_ones() -> None:
    training = daily(np.arange(200 * DAY))
    training[100 * DAY : 101 * DAY] += 40
    found = check(training, daily(np.arange(200 * DAY, 201 * DAY), 3) + 15)
    assert found.state == "drifted"


def test_too_few_rows_are_waited_for() -> None:
    found = check(daily(np.arange(200 * DAY)), np.full(10, 1e9))
    assert found.state == "not_checked"
    assert found.waiting
    assert "drift.min_rows" in found.reason


def test_without_room_for_a_level_the_threshold_decides() -> None:
    training = np.random.default_rng(0).normal(size=48)
    same = check(training, np.random.default_rng(1).normal(size=48))
    assert same.findings[0].level is None
    assert same.findings[0].limit == CONFIG.threshold
    assert check(training, np.random.default_rng(1).normal(size=48) + 5).state == "drifted"


def test_a_text_that_comes_more_often_is_drift() -> None:
    roles = static_roles("kind")
    many = [piece(0, daily(np.arange(100 * DAY)), b"%d" % i, kind="ab"[i % 2]) for i in range(4)]
    found = distributions(profile_of(*many, roles=roles))
    part = [piece(100 * DAY, daily(np.arange(48), i), b"%d" % i, kind="a") for i in range(4)]
    times = (100 * DAY * HOUR, (100 * DAY + 47) * HOUR)
    counts = count_rows(part, roles, found.columns)
    checked = found.check_data(counts, 4 * 48, times, CONFIG, 20)
    by_name = {f.subject: f for f in checked.findings}
    assert by_name["kind"].measure == "l_infinity"
    assert by_name["kind"].value == pytest.approx(0.5)
    assert by_name["kind"].drifted
    assert not by_name["y"].drifted
    assert checked.findings[0].subject == "kind"  # the largest excess comes first
