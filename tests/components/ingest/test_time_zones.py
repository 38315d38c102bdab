"""Stamps, formats, zones and clock changes against zoneinfo."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest import zones
from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import ingest
from components.ingest.report import IngestReport
from models.errors import BadInputError
from models.roles import Roles

NAMES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo")


def run(tmp_path: Path, stamps: list[str], frequency: str = "h", **more: object) -> IngestReport:
    rows = "\n".join(f"{stamp},{i}" for i, stamp in enumerate(stamps))
    (tmp_path / "a.csv").write_text(f"when,y\n{rows}\n")
    data = DataConfig.model_validate(
        {"path": "a.csv", "time": "when", "frequency": frequency, **more}
    )
    split = SplitConfig(validation=1, test=1)
    return ingest(data, split, Roles(targets=("y",)), tmp_path, tmp_path / "out")


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    local=st.datetimes(datetime(1960, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - local
)
def test_offsets_are_those_of_zoneinfo(name: str, local: datetime) -> None:
    local = local.replace(microsecond=0)
    seconds = int(local.replace(tzinfo=UTC).timestamp())
    offset = [o for start, o in zones.pieces(name) if start is None or start <= seconds][-1]
    place = ZoneInfo(name)
    both = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=place, fold=fold).astimezone(UTC)
        if moment.astimezone(place).replace(tzinfo=None) == local:
            both.append(int(moment.timestamp()))
    if not both:
        assert offset == zones.NONEXISTENT
    elif len(set(both)) == 2:
        assert offset == zones.AMBIGUOUS
    else:
        assert seconds - offset == both[0]


def test_the_expression_is_the_list_of_pieces() -> None:
    import duckdb

    name = "America/New_York"
    edges = [start for start, _ in zones.pieces(name) if start is not None]
    times = sorted({e + d for e in edges for d in (-1, 0, 1)})
    got = duckdb.sql(
        f"SELECT {zones.offset_sql('t', name)} FROM (SELECT unnest({times}) AS t)"
    ).fetchall()
    want = [
        [o for start, o in zones.pieces(name) if start is None or start <= t][-1] for t in times
    ]
    assert [g[0] for g in got] == want


def test_naive_stamps_are_in_the_zone_and_offsets_are_honoured(tmp_path: Path) -> None:
    stamps = [
        "2024-06-01 00:00", "2024-05-31T23:00:00Z", "2024-06-01T02:00:00+02:00",
        "2024-06-01 03:00:00 +0200", "2024-06-01T05:30:00+0330", "2024-06-01 05:00:00+02",
    ]  # fmt: skip
    report = run(tmp_path, stamps, timezone="Europe/Berlin")
    start = datetime(2024, 5, 31, 22, tzinfo=UTC)
    assert report.first == int(start.timestamp())
    assert report.last == int((start + timedelta(hours=5)).timestamp())
    assert report.steps == 6
    assert report.missing_steps == 0


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("2024-03-31 02:30", "non-existent local time"),
        ("2024-10-27 02:30", "ambiguous local time"),
    ],
)
def test_clock_changes_are_bad_rows(tmp_path: Path, stamp: str, reason: str) -> None:
    day = pd.date_range("2024-03-01 00:30", periods=20, freq="h").strftime("%Y-%m-%d %H:%M")
    with pytest.raises(BadInputError, match=rf"a\.csv:22: {reason} in column 'when': '{stamp}'"):
        run(tmp_path, [*day, stamp], timezone="Europe/Berlin")
    report = run(tmp_path, [*day, stamp], timezone="Europe/Berlin", on_bad_rows="drop")
    assert report.dropped == {reason: 1}
    around = pd.Timestamp(f"{stamp}+01:00") + pd.to_timedelta(np.arange(-4, 5), unit="h")
    with_offset = run(tmp_path, [str(t) for t in around], timezone="Europe/Berlin")
    assert (with_offset.rows_kept, with_offset.missing_steps) == (9, 0)


def test_days_are_dates_whatever_the_zone(tmp_path: Path) -> None:
    # Local midnights over a clock change are no regular grid in UTC, dates are.
    days = pd.date_range("2024-03-25", periods=14, freq="D")
    plain = run(tmp_path, list(days.strftime("%Y-%m-%d")), "D", timezone="Europe/Berlin")
    midnights = [str(d) for d in days.tz_localize("Europe/Berlin")]
    stamped = run(tmp_path, midnights, "D", timezone="Europe/Berlin")
    in_utc = [str(d) for d in days.tz_localize("Europe/Berlin").tz_convert("UTC")]
    shifted = run(tmp_path, in_utc, "D", timezone="Europe/Berlin")
    assert plain.first == stamped.first == int(days[0].timestamp())
    assert plain.digest == stamped.digest == shifted.digest
    assert plain.missing_steps == 0


@pytest.mark.parametrize(
    ("format_", "write"),
    [
        ("%d.%m.%Y %H:%M", lambda t: t.strftime("%d.%m.%Y %H:%M")),
        ("%m/%d/%Y %I %p", lambda t: t.strftime("%m/%d/%Y %I %p")),
        ("s", lambda t: str(int(t.timestamp()))),
        ("ms", lambda t: str(int(t.timestamp()) * 1000)),
        ("ns", lambda t: str(int(t.timestamp()) * 10**9)),
        ("%Y-%m-%d %H:%M %z", lambda t: t.strftime("%Y-%m-%d %H:%M +0000")),
        (None, lambda t: t.isoformat()),
        (None, lambda t: t.strftime("%Y/%m/%d %H:%M")),
    ],
)
def test_formats(tmp_path: Path, format_: str | None, write: object) -> None:
    times = pd.date_range("2024-01-30", periods=60, freq="h", tz="UTC")
    report = run(tmp_path, [write(t) for t in times], time_format=format_)  # type: ignore[operator]
    assert (report.first, report.steps) == (int(times[0].timestamp()), 60)
    assert report.missing_steps == 0


@pytest.mark.parametrize(
    ("stamp", "reason", "more"),
    [
        ("soon", "unparseable time", {}),
        ("2024-02-30", "unparseable time", {}),
        ("infinity", "unparseable time", {}),
        ("1704067200", "unparseable time", {}),
        ("2024-01-01 05:00:00.25", "time with a fraction of a second", {}),
        ("1704067200500", "time with a fraction of a second", {"time_format": "ms"}),
        ("1704067200.5", "unparseable time", {"time_format": "s"}),
        ("99999999999999999999", "unparseable time", {"time_format": "s"}),
        ("1066-10-14", "time outside the years 1700 to 2200", {}),
        ("", "missing time", {}),
        ("NA", "missing time", {}),
    ],
)
def test_bad_times(tmp_path: Path, stamp: str, reason: str, more: dict[str, str]) -> None:
    times = pd.date_range("2024-01-01", periods=9, freq="h", tz="UTC")
    if more:
        unit = {"s": 1, "ms": 1000}[more["time_format"]]
        good = [str(int(t.timestamp()) * unit) for t in times]
    else:
        good = [str(t) for t in times]
    with pytest.raises(BadInputError, match=rf"a\.csv:6: {reason}"):
        run(tmp_path, [*good[:4], stamp, *good[4:]], **more)


def test_unknown_zone_and_format(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"data\.timezone 'Berlin'"):
        run(tmp_path, ["2024-01-01 00:00"], timezone="Berlin")
    with pytest.raises(BadInputError, match=r"data\.time_format '%Q'"):
        run(tmp_path, ["2024-01-01 00:00"], time_format="%Q")


def test_weeks_may_begin_before_1970(tmp_path: Path) -> None:
    times = pd.date_range("1958-03-29", periods=700, freq="W-SAT")
    report = run(tmp_path, [str(t.date()) for t in times], "W-SAT")
    assert report.first == int(np.datetime64("1958-03-29", "s").astype(np.int64))
    assert (report.steps, report.holes) == (700, 0)
