"""The loop on a fast clock: nights that fail, last too long, are missed, or are cut short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.schedule.outcome import Outcome
from pipeline.schedule.state import NAME
from tests.pipeline.schedule.clocks import FastClock, play


def test_every_planned_time_is_run_once_in_order(tmp_path: Path) -> None:
    nights, _, said = play(tmp_path, "2026-01-01T12:00", "2026-01-05T12:00")
    assert nights.planned == ["02 03:00", "03 03:00", "04 03:00", "05 03:00"]
    assert nights.started == nights.planned
    assert said[0] == "next run: Fri 2026-01-02 03:00 UTC"
    assert "next run: Tue 2026-01-06 03:00 UTC" in said


def test_the_next_run_is_told_in_the_time_zone_of_the_schedule(tmp_path: Path) -> None:
    _, _, said = play(tmp_path, "2026-03-28T12:00", "2026-03-29T12:00", timezone="Europe/Berlin")
    assert said[0] == "next run: Sun 2026-03-29 03:00 CEST"


def test_failed_nights_are_counted_and_the_schedule_goes_on(tmp_path: Path) -> None:
    def night(number: int) -> Outcome:
        if number == 2:
            raise MemoryError("too much")
        return Outcome("failed" if number == 1 else "blocked" if number == 3 else "finished", "w")

    nights, scheduler, said = play(tmp_path, "2026-01-01T12:00", "2026-01-05T12:00", night)
    assert len(nights.planned) == 4
    assert [o.status for _, _, o in scheduler.outcomes] == [
        "failed",
        "failed",
        "blocked",
        "finished",
    ]
    assert any("MemoryError: too much" in line for line in said)
    assert any("blocked (3 in a row)" in line for line in said)
    assert json.loads((tmp_path / NAME).read_text())["failures"] == 0


def test_a_secret_in_the_words_of_a_failure_is_masked(tmp_path: Path) -> None:
    def night(number: int) -> Outcome:
        return Outcome("failed", "http://me:hunter2@tracking.example/ is away")

    _, _, said = play(tmp_path, "2026-01-01T12:00", "2026-01-02T12:00", night)
    assert not any("hunter2" in line for line in said)
    assert "hunter2" not in (tmp_path / NAME).read_text()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"catch_up": "none"}, ["09 03:00"]),
        ({"catch_up": "last"}, ["08 03:00", "09 03:00"]),
        ({"catch_up": "all"}, [f"0{day} 03:00" for day in range(3, 10)]),
        (
            {"catch_up": "all", "catch_up_limit": 3},
            ["06 03:00", "07 03:00", "08 03:00", "09 03:00"],
        ),
    ],
)
def test_what_was_missed_while_away_is_caught_up_as_configured(
    tmp_path: Path, policy: dict[str, object], expected: list[str]
) -> None:
    play(tmp_path, "2026-01-01T12:00", "2026-01-02T12:00", **policy)
    nights, _, said = play(tmp_path, "2026-01-08T12:00", "2026-01-09T12:00", **policy)
    assert nights.planned == expected
    missed = 6 - (len(expected) - 1)
    told = [line for line in said if "missed and not caught up" in line]
    assert [line.split()[5] for line in told] == ([str(missed)] if missed else [])


def test_a_first_start_has_missed_nothing(tmp_path: Path) -> None:
    nights, _, said = play(tmp_path, "2026-01-08T12:00", "2026-01-09T12:00", catch_up="all")
    assert nights.planned == ["09 03:00"]
    assert not any("missed" in line for line in said)


@pytest.mark.parametrize("change", [{"cron": "0 4 * * *"}, {"timezone": "Europe/Berlin"}])
def test_another_schedule_has_missed_nothing(tmp_path: Path, change: dict[str, object]) -> None:
    play(tmp_path, "2026-01-01T12:00", "2026-01-02T12:00")
    nights, _, _ = play(tmp_path, "2026-01-08T12:00", "2026-01-09T12:00", **change)
    assert len(nights.planned) == 1


def test_a_long_absence_of_a_busy_schedule_is_cheap_and_told(tmp_path: Path) -> None:
    play(tmp_path, "2020-01-01T12:00", "2020-01-01T12:05", cron="* * * * *")
    nights, _, said = play(tmp_path, "2026-01-01T12:00", "2026-01-01T12:00", cron="* * * * *")
    assert nights.planned == []  # asked to stop at once
    assert any("or more of the planned times" in line for line in said)


@pytest.mark.parametrize("policy", ["none", "last", "all"])
def test_a_night_that_lasts_longer_than_a_day_overlaps_nothing(tmp_path: Path, policy: str) -> None:
    clock = FastClock("2026-01-01T12:00", "2026-01-06T12:00")

    def night(number: int) -> Outcome:
        if number == 1:
            clock.spend(days=2, hours=2)
        return Outcome("finished")

    nights, _, _ = play(tmp_path, "", "", night, clock=clock, catch_up=policy)
    between = {"none": [], "last": ["04 03:00"], "all": ["03 03:00", "04 03:00"]}[policy]
    assert nights.planned == ["02 03:00", *between, "05 03:00", "06 03:00"]
    assert nights.started[1 : 1 + len(between)] == ["04 05:00"] * len(between)


def test_a_busy_workspace_is_waited_for(tmp_path: Path) -> None:
    def night(number: int) -> Outcome:
        return Outcome("busy", "process 7 uses it") if number <= 5 else Outcome("finished")

    nights, scheduler, said = play(tmp_path, "2026-01-01T12:00", "2026-01-02T12:00", night)
    assert nights.started == [f"02 03:0{minute}" for minute in range(6)]
    assert [o.status for _, _, o in scheduler.outcomes] == ["finished"]
    assert said.count("waiting: process 7 uses it") == 1


def test_a_workspace_that_stays_busy_costs_its_own_time_only(tmp_path: Path) -> None:
    def night(number: int) -> Outcome:
        return Outcome("busy", "in use") if number <= 24 * 60 else Outcome("finished")

    nights, scheduler, _ = play(
        tmp_path, "2026-01-01T12:00", "2026-01-03T12:00", night, catch_up="none"
    )
    assert [o.status for _, _, o in scheduler.outcomes] == ["busy", "finished"]
    assert nights.started[-1] == "03 03:00"


def test_a_run_cut_short_by_a_stop_is_missed_and_caught_up(tmp_path: Path) -> None:
    clock = FastClock("2026-01-01T12:00", "2026-01-02T03:00")

    def night(number: int) -> Outcome:
        return Outcome("interrupted")

    # The clock asks to stop as it comes to the planned time, so nothing starts.
    nights, _, _ = play(tmp_path, "", "", night, clock=clock)
    assert nights.planned == []
    again, scheduler, _ = play(tmp_path, "2026-01-02T09:00", "2026-01-02T12:00", night)
    assert again.planned == ["02 03:00"]
    assert scheduler.outcomes[0][2].status == "interrupted"


def test_a_run_interrupted_by_the_stop_is_not_dealt_with(tmp_path: Path) -> None:
    from pipeline.schedule.config import ScheduleConfig
    from pipeline.schedule.loop import Scheduler
    from pipeline.schedule.state import StateFile
    from pipeline.schedule.stop import Stop
    from pipeline.schedule.timetable import Timetable

    stop = Stop()
    clock = FastClock("2026-01-01T12:00", "2026-01-09T12:00")

    def job(planned: object, asked: Stop) -> Outcome:
        asked.ask()
        return Outcome("interrupted")

    said: list[str] = []
    config = ScheduleConfig(cron="0 3 * * *")
    Scheduler(Timetable(config, seed=""), clock, job, StateFile(tmp_path), stop, said.append).run()
    assert "its time is missed" in said[-1]
    nights, _, _ = play(tmp_path, "2026-01-02T09:00", "2026-01-02T12:00")
    assert nights.planned == ["02 03:00"]


def test_once_ends_after_one_planned_time(tmp_path: Path) -> None:
    nights, _, _ = play(tmp_path, "2026-01-01T12:00", "2026-02-01T12:00", once=True)
    assert nights.planned == ["02 03:00"]


def test_a_state_that_cannot_be_kept_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    nights, _, said = play(tmp_path, "2026-01-01T12:00", "2026-01-04T12:00")
    assert len(nights.planned) == 3
    assert any("could not be kept" in line for line in said)
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"timetable": 1}', '{"timetable":"x","last":"y"}']
)
def test_a_broken_state_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    nights, _, _ = play(tmp_path, "2026-01-08T12:00", "2026-01-09T12:00", catch_up="all")
    assert nights.planned == ["09 03:00"]


def test_a_clock_that_was_set_back_does_not_stop_the_nights(tmp_path: Path) -> None:
    play(tmp_path, "2026-06-01T12:00", "2026-06-02T12:00")
    nights, _, _ = play(tmp_path, "2026-01-01T12:00", "2026-01-02T12:00")
    assert nights.planned == ["02 03:00"]
