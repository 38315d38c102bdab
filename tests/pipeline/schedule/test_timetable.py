"""Jitter is the same each time, in its bounds, and spreads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.timetable import Timetable

START = datetime(2026, 1, 1, tzinfo=UTC)


def delays(
    seed: str, cron: str = "0 3 * * *", jitter: float = 600.0, count: int = 100
) -> list[float]:
    table = Timetable(ScheduleConfig(cron=cron, jitter=jitter), seed=seed)
    found, moment = [], START
    for _ in range(count):
        moment = table.next(moment)
        found.append((table.start(moment) - moment).total_seconds())
    return found


def test_jitter_depends_on_seed_and_time_alone_and_fills_its_range() -> None:
    assert delays("a") == delays("a")
    assert delays("a") != delays("b")
    assert all(0 <= delay <= 600 for delay in delays("a"))
    assert min(delays("a")) < 60
    assert max(delays("a")) > 540
    assert abs(sum(delays("a")) / 100 - 300) < 5 * 600 / (12 * 100) ** 0.5


def test_a_jittered_run_starts_before_the_next_time() -> None:
    assert max(delays("a", cron="*/5 * * * *", jitter=86_400, count=40)) <= 150


def test_without_jitter_a_run_starts_at_its_time() -> None:
    assert set(delays("a", jitter=0.0)) == {0.0}


def test_due_counts_what_a_plain_list_counts() -> None:
    table = Timetable(ScheduleConfig(cron="0 */6 * * *", catch_up="all", catch_up_limit=5), seed="")
    for hours in range(80):
        now = START + timedelta(hours=hours)
        passed = [START + timedelta(hours=6 * k) for k in range(1, 20) if 6 * k <= hours]
        due = table.due(START, now)
        assert list(due.run) == passed[-5:]
        assert due.upto == max([START, *passed])
        assert due.more or due.dropped == max(len(passed) - 5, 0)
