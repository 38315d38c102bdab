"""Cron expressions against a loop over all minutes, and against systemd's own calendar."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.schedule.cron import Cron

UTC_ZONE = ZoneInfo("UTC")
CALENDAR = ("systemd-analyze", "calendar", "--iterations=20")
BERLIN = ZoneInfo("Europe/Berlin")


def first(text: str, after: str, zone: ZoneInfo = UTC_ZONE, count: int = 1) -> list[str]:
    found = Cron.parse(text).after(datetime.fromisoformat(after), zone)
    return [f"{moment:%Y-%m-%dT%H:%M}" for moment in islice(found, count)]


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> tuple[str, set[int]]:
    """A field's text and the values that crontab(5) gives it."""
    kind = draw(st.sampled_from(["star", "step", "value", "range", "list"]))
    if kind == "star":
        return "*", set(range(low, high + 1))
    if kind == "step":
        step = draw(st.integers(1, high))
        return f"*/{step}", {value for value in range(low, high + 1) if (value - low) % step == 0}
    a, b = sorted(draw(st.lists(st.integers(low, high), min_size=2, max_size=2)))
    if kind == "value":
        return str(a), {a}
    if kind == "range":
        return f"{a}-{b}", set(range(a, b + 1))
    return f"{b},{a}", {a, b}


def fits(day: date, text: list[str], values: list[set[int]]) -> bool:
    """crontab(5), DESCRIPTION: how days of month and of week are joined."""
    by_month, by_week = day.day in values[2], day.isoweekday() % 7 in {v % 7 for v in values[4]}
    if text[2].startswith("*") or text[4].startswith("*"):
        return by_month and by_week
    return by_month or by_week


@settings(max_examples=60)
@given(
    st.tuples(
        fields(0, 59), fields(0, 23), fields(1, 31), st.just(("*", set(range(1, 13)))), fields(0, 7)
    ),
    st.integers(0, 60 * 24 * 365),
)
def test_the_moments_are_those_that_a_loop_over_all_days_finds(
    given_fields: tuple[tuple[str, set[int]], ...], offset: int
) -> None:
    text, values = [f[0] for f in given_fields], [f[1] for f in given_fields]
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=offset)
    expected = []
    for days in range(800):
        day = (start + timedelta(days=days)).date()
        if not fits(day, text, values):
            continue
        for hour in sorted(values[1]):
            for minute in sorted(values[0]):
                moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                if moment > start:
                    expected.append(moment)
        if len(expected) >= 5:
            break
    assert list(islice(Cron.parse(" ".join(text)).after(start, UTC_ZONE), 5)) == expected[:5]


def test_names_and_nicknames_are_numbers() -> None:
    assert first("0 3 * * mon-fri", "2026-01-02T04:00Z") == ["2026-01-05T03:00"]
    assert first("0 3 * jan,MAR 7", "2026-01-26T00:00Z") == ["2026-03-01T03:00"]
    for nickname, text in (("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0")):
        assert first(nickname, "2026-01-01T00:00Z") == first(text, "2026-01-01T00:00Z")


def test_sunday_is_zero_and_seven_and_not_monday() -> None:
    assert date(2026, 1, 4).strftime("%A") == "Sunday"
    for sunday in ("0", "7", "sun"):
        assert first(f"0 3 * * {sunday}", "2026-01-01T00:00Z") == ["2026-01-04T03:00"]


def test_a_time_that_clocks_skip_comes_an_hour_later_whenever_one_asks() -> None:
    # 29 March 2026, 02:00 to 03:00 does not exist in Berlin; 03:30 there is 01:30 UTC.
    for asked in ("2026-03-28T20:00Z", "2026-03-29T00:59Z", "2026-03-29T01:10Z"):
        assert first("30 2 * * *", asked, BERLIN, 2) == ["2026-03-29T01:30", "2026-03-30T00:30"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("text", ["15 0 * * *", "45 1 * * *", "0 4 * * *", "30 23 * * *"])
def test_every_day_of_a_year_has_its_run_whatever_the_clocks_do(text: str, zone: str) -> None:
    place = ZoneInfo(zone)
    found = islice(Cron.parse(text).after(datetime(2026, 1, 1, tzinfo=place), place), 365)
    days = [(moment.astimezone(place)).date() for moment in found]
    assert days == [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_starred_hour_follows_real_time(zone: str) -> None:
    place = ZoneInfo(zone)
    for month in (3, 10):
        start = datetime(2026, month, 1, tzinfo=UTC)
        found = list(islice(Cron.parse("*/30 * * * *").after(start, place), 45 * 48))
        assert found == [start + timedelta(minutes=30 * (n + 1)) for n in range(45 * 48)]


def test_a_starred_hour_with_a_step_has_no_time_that_is_not_its_own() -> None:
    # In spring 02:30 does not exist and comes at 03:30; in autumn 02:30 comes twice.
    for asked, expected in (
        ("2026-03-28T23:45Z", ["29 01:30", "29 02:30"]),
        ("2026-10-24T23:45Z", ["25 00:30", "25 01:30", "25 03:30"]),
    ):
        found = first("30 */2 * * *", asked, BERLIN, len(expected))
        assert [moment[8:].replace("T", " ") for moment in found] == expected


def test_a_time_that_comes_twice_counts_once_unless_the_hour_is_starred() -> None:
    # 25 October 2026, 02:00 to 03:00 comes twice in Berlin: from 00:00 and from 01:00 UTC.
    assert first("30 2 * * *", "2026-10-24T12:00Z", BERLIN, 2) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]
    assert first("30 * * * *", "2026-10-25T00:00Z", BERLIN, 3) == [
        "2026-10-25T00:30",
        "2026-10-25T01:30",
        "2026-10-25T02:30",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * *", "expected five fields"),
        ("0 24 * * *", "hour: received '24', expected a whole number from 0 to 23"),
        ("60 3 * * *", "minute: received '60'"),
        ("0 3 0 * *", "day of month: received '0'"),
        ("0 3 * 13 *", "month: received '13', expected a whole number from 1 to 12 or jan to dec"),
        ("0 3 * * 8", "day of week: received '8'"),
        ("0 3 L * *", "day of month: received 'L'"),
        ("0 3 ? * *", "expected a star"),
        ("0 3 * * 1#2", "expected a star"),
        ("5/10 * * * *", "a step needs a star or a range"),
        ("*/0 * * * *", "a step from 1"),
        ("30-10 * * * *", "a range that goes upwards"),
        ("0 3 30 2 *", "never comes"),
        ("@reboot", "expected five fields"),
        ("", "expected five fields"),
    ],
)
def test_what_is_no_expression_is_refused_by_field(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Cron.parse(text)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize(
    "text", ["0 3 * * *", "*/20 6-8 * * 1-5", "15 0 1,15 * *", "0 12 * 2 0", "5 4 13 * 5"]
)
def test_systemd_names_the_same_moments(text: str) -> None:
    from pipeline.schedule.emit.systemd import calendars

    base = datetime(2026, 2, 27, 9, 7, tzinfo=UTC)
    moments: set[datetime] = set()
    for line in calendars(Cron.parse(text), "Europe/Berlin"):
        said = subprocess.run(
            [*CALENDAR, f"--base-time={base:%F %T} UTC", line],
            capture_output=True,
            text=True,
            check=True,
            env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        ).stdout
        for found in re.findall(r"(?:elapse|#\d+): \w{3} (\S+ \S+) UTC", said):
            moments.add(datetime.fromisoformat(found).replace(tzinfo=UTC))
    expected = list(islice(Cron.parse(text).after(base, BERLIN), 20))
    assert sorted(moments)[:20] == expected
