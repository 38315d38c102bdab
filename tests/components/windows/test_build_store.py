"""The window stage: real data, calendars, static covariates, bad input, memory-mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import ingest
from components.windows.build import build_store
from components.windows.report import WindowsReport
from models.errors import BadInputError, FailedRunError
from models.frequency import Frequency
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore
from tests.components.windows.example_files import write_examples
from tests.shared_data import shared_data

HOUR = 3600
SPEC = WindowSpec(lookback=3, horizon=2)
BORDERS = (0, 20 * HOUR, 30 * HOUR, 40 * HOUR)
Y = Roles(targets=("y",))


def hourly(steps: int, series: str = "", **columns: Any) -> list[dict[str, Any]]:
    rows = [{"series": series, "time": t * HOUR, "y": float(t)} for t in range(steps)]
    for name, value in columns.items():
        for t, row in enumerate(rows):
            row[name] = value(t) if callable(value) else value
    return rows


def run(
    folder: Path,
    rows: list[dict[str, Any]],
    *,
    spec: WindowSpec = SPEC,
    roles: Roles = Y,
    gaps: GapsConfig | None = None,
    frequency: str = "h",
    borders: tuple[int, int, int, int] = BORDERS,
    types: dict[str, pa.DataType] | None = None,
) -> tuple[WindowsReport, SeriesStore]:
    write_examples(folder / "examples", rows, borders, types=types, row_group=11)
    report = build_store(
        folder / "examples", borders, spec, roles, gaps or GapsConfig(), frequency, folder / "out"
    )
    return report, SeriesStore.load(folder / "out")


def test_etth1_has_the_windows_of_the_literature(tmp_path: Path) -> None:
    table = pd.read_csv(shared_data("ett", "ETTh1.csv"), parse_dates=["date"])
    time = table.pop("date").to_numpy().astype("datetime64[s]").astype(np.int64)
    borders = tuple(int(time[0]) + HOUR * n for n in (0, 8640, 11520, 14400))
    rows = [
        {"series": "", "time": int(t), **values}
        for t, values in zip(time, table.to_dict("records"), strict=True)
    ]
    report, store = run(
        tmp_path,
        rows,
        spec=WindowSpec(lookback=96, horizon=24),
        roles=Roles(targets=tuple(table.columns)),
        borders=borders,
    )
    assert report.windows == {"train": 8521, "validation": 2857, "test": 2857}
    assert report.unused_rows == 17420 - 14400
    assert report.segments == 1
    np.testing.assert_array_equal(store.values, table.to_numpy(np.float32)[:14400])
    # The first validation window's labels begin with the first validation row.
    first = store.view("validation").take(np.array([0]))
    np.testing.assert_array_equal(first.labels()[0], store.values[8640:8664])
    np.testing.assert_array_equal(first.targets()[0], store.values[8544:8640])


def test_etth1_from_the_file_through_ingest(tmp_path: Path) -> None:
    roles = Roles(targets=("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"))
    ingested = ingest(
        DataConfig(path=str(shared_data("ett", "ETTh1.csv")), time="date", frequency="h"),
        SplitConfig(train=8640, validation=2880, test=2880),
        roles,
        tmp_path,
        tmp_path / "examples",
    )
    report = build_store(
        tmp_path / "examples",
        ingested.boundaries,
        WindowSpec(lookback=96, horizon=24),
        roles,
        GapsConfig(),
        "h",
        tmp_path / "out",
    )
    assert report.windows == {"train": 8521, "validation": 2857, "test": 2857}
    store = SeriesStore.load(tmp_path / "out")
    table = pd.read_csv(shared_data("ett", "ETTh1.csv"))[list(roles.targets)]
    np.testing.assert_array_equal(store.values, table.to_numpy(np.float32)[:14400])


def test_arrays_stay_on_disk(tmp_path: Path) -> None:
    _, store = run(tmp_path, hourly(40))
    for array in (store.values, store.observed, store.time, store.view("train").origins):
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
    assert isinstance(store.view("test").store.values, np.memmap)


@pytest.mark.parametrize(
    ("frequency", "start", "gone"), [("MS", "2001-01-01", 7), ("B", "2024-01-01", 12)]
)
def test_calendar_steps(tmp_path: Path, frequency: str, start: str, gone: int) -> None:
    index = pd.date_range(start, periods=61, freq=frequency)
    time = index.to_numpy().astype("datetime64[s]").astype(np.int64)
    borders = (int(time[0]), int(time[30]), int(time[45]), int(time[60]))
    rows = [{"series": "", "time": int(t), "y": float(i)} for i, t in enumerate(time) if i != gone]
    report, store = run(
        tmp_path, rows, frequency=frequency, borders=borders, gaps=GapsConfig(max=1)
    )
    assert store.time.tolist() == time[:60].tolist()
    assert store.values[:, 0].tolist() == list(range(60))
    assert np.flatnonzero(~store.observed[:, 0]).tolist() == [gone]
    assert report.windows == {"train": 26, "validation": 14, "test": 14}
    assert report.longest_hole == report.filled_cells == report.holes_filled == 1


def test_a_hole_over_a_border_is_not_interpolated(tmp_path: Path) -> None:
    rows = [r for r in hourly(40) if r["time"] // HOUR not in (8, 9, 19, 20)]
    _, store = run(tmp_path, rows, gaps=GapsConfig(max=2))
    assert store.values[[8, 9], 0].tolist() == [8.0, 9.0]
    assert store.values[[19, 20], 0].tolist() == [18.0, 18.0]


@pytest.mark.parametrize("fill", ["linear", "previous", "mean"])
def test_later_splits_never_reach_the_values_of_earlier_ones(tmp_path: Path, fill: Any) -> None:
    random = np.random.default_rng(3)
    kept = [r for r in hourly(40) if random.random() > 0.3 or r["time"] in (0, 39 * HOUR)]
    stores = []
    for scale in (1.0, -100.0):
        rows = [{**r, "y": r["y"] * (scale if r["time"] >= BORDERS[1] else 1.0)} for r in kept]
        folder = tmp_path / str(scale)
        stores.append(run(folder, rows, gaps=GapsConfig(max=9, fill=fill))[1])
    train = stores[0].time < BORDERS[1]
    assert (~stores[0].observed[train]).any()
    np.testing.assert_array_equal(stores[0].values[train], stores[1].values[train])


def test_a_window_never_sees_past_its_origin(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    gone = {t for t in range(1, 39) if random.random() < 0.4}
    rows = [r for r in hourly(40, z=lambda t: float(t % 7)) if r["time"] // HOUR not in gone]
    roles = Roles(targets=("y",), covariates=Covariates(future=("z",)))
    _, store = run(tmp_path / "a", rows, gaps=GapsConfig(max=30), roles=roles)
    for split in SPLITS:
        view = store.view(split)
        for i in range(len(view)):
            origin = int(store.time[view.origins[i]])
            end = origin + SPEC.reach * HOUR
            changed = [
                {
                    **r,
                    "y": r["y"] if r["time"] <= origin else -1000.0,
                    "z": r["z"] if r["time"] <= end else -1000.0,
                }
                for r in rows
            ]
            _, other = run(tmp_path / f"{split}{i}", changed, gaps=GapsConfig(max=30), roles=roles)
            mine = view.take(np.array([i])).gather()
            its = other.view(split).take(np.array([i])).gather()
            np.testing.assert_array_equal(mine.past["y"], its.past["y"])
            np.testing.assert_array_equal(mine.future["z"], its.future["z"])


def test_static_covariates_by_series(tmp_path: Path) -> None:
    rows = hourly(40, "b", size=2.5, kind="gross") + hourly(40, "a", size=1.5, kind="klein")
    rows[3]["size"] = None
    roles = Roles(targets=("y",), covariates=Covariates(static=("kind", "size")))
    _, store = run(tmp_path, rows, roles=roles, types={"kind": pa.binary()})
    assert store.series == ("a", "b")
    assert store.static == {"kind": ("klein", "gross"), "size": (1.5, 2.5)}
    batch = store.view("test").gather()
    assert batch.static["kind"].tolist() == [store.static["kind"][s] for s in batch.series]
    assert batch.static["size"].dtype == np.float32


def test_series_with_nothing_observed_are_counted(tmp_path: Path) -> None:
    rows = hourly(40, "a") + [{**r, "y": None} for r in hourly(10, "b")]
    report, store = run(tmp_path, rows)
    assert (report.series, report.empty_series, report.trimmed_steps) == (2, 1, 10)
    assert store.segments.tolist() == [[0, 0, 40]]


def test_report_counts_holes(tmp_path: Path) -> None:
    gone = {5, 6, 7, 8, 15}
    rows = [
        {**r, "y": None if r["time"] // HOUR in (0, 1, 35) else r["y"]}
        for r in hourly(45)
        if r["time"] // HOUR not in gone
    ]
    report, _ = run(tmp_path, rows, gaps=GapsConfig(max=3, fill="previous"))
    assert report.model_dump(exclude={"windows"}) == {
        "series": 1,
        "empty_series": 0,
        "rows": 34,
        "segments": 2,
        "holes_filled": 2,
        "holes_splitting": 1,
        "filled_cells": 2,
        "longest_hole": 4,
        "trimmed_steps": 2,
        "unused_rows": 5,
    }
    assert report.metrics()["windows_train"] == report.windows["train"]


def test_a_broken_build_leaves_no_store(tmp_path: Path) -> None:
    run(tmp_path, hourly(40))
    with pytest.raises(BadInputError):
        build_store(
            tmp_path / "examples",
            BORDERS,
            WindowSpec(lookback=30, horizon=11),
            Y,
            GapsConfig(),
            "h",
            tmp_path / "out",
        )
    with pytest.raises(FailedRunError, match="no finished window store"):
        SeriesStore.load(tmp_path / "out")


def test_no_window_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        run(tmp_path, hourly(40), spec=WindowSpec(lookback=5, horizon=12, gap=1))
    message = str(caught.value)
    for part in ("validation split", "10 usable steps", "12 steps", "18 in a row", "gaps.max"):
        assert part in message


def with_time(rows: list[dict[str, Any]], index: int, seconds: int) -> list[dict[str, Any]]:
    rows[index]["time"] = seconds
    return rows


@pytest.mark.parametrize(
    ("rows", "roles", "message"),
    [
        (hourly(40), Roles(targets=("x",)), "no column 'x'"),
        (hourly(40, y=1e300), Y, "no finite 32-bit number"),
        (hourly(40, y=float("inf")), Y, "no finite 32-bit number"),
        (with_time(hourly(40), 3, 4 * HOUR), Y, "not ascending"),
        (with_time(hourly(40), 3, 3 * HOUR + 60), Y, "not on the grid of 'h'"),
        (
            hourly(40, "s", k=None),
            Roles(targets=("y",), covariates=Covariates(static=("k",))),
            "series 's' has no value of the static covariate 'k'",
        ),
        (
            hourly(40, "s", k=lambda t: float(t > 25)),
            Roles(targets=("y",), covariates=Covariates(static=("k",))),
            r"the values 0.0, 1.0 of the static covariate 'k'",
        ),
    ],
)
def test_bad_data(tmp_path: Path, rows: list[dict[str, Any]], roles: Roles, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        run(tmp_path, rows, roles=roles)
    assert not any((tmp_path / "out").iterdir())


def test_text_where_a_number_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="column 'y' is binary"):
        run(tmp_path, hourly(40, y="five"), types={"y": pa.binary()})


def test_no_examples(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no Parquet Examples"):
        build_store(tmp_path, BORDERS, SPEC, Y, GapsConfig(), "h", tmp_path / "out")


@pytest.mark.parametrize("shape", ["plain", "two", "unsorted"])
def test_broken_examples(tmp_path: Path, shape: str) -> None:
    rows = hourly(40, "b") + hourly(40, "a")
    write_examples(tmp_path / "examples", rows, BORDERS)
    path = tmp_path / "examples" / "Split-train" / "part-00000.parquet"
    table = pq.read_table(path)
    if shape == "plain":
        table = table.set_column(
            table.schema.get_field_index("y"), "y", pa.array([0.0] * len(table))
        )
    elif shape == "two":
        table = table.set_column(
            table.schema.get_field_index("y"), "y", pa.array([[0.0, 1.0]] * len(table))
        )
    else:
        table = pa.concat_tables([table.slice(20), table.slice(0, 20)])
    pq.write_table(table, path)
    message = {
        "plain": "expected a list column",
        "two": "2 values in one row",
        "unsorted": "not sorted by series: 'a' comes after 'b'",
    }[shape]
    with pytest.raises(BadInputError, match=message):
        build_store(tmp_path / "examples", BORDERS, SPEC, Y, GapsConfig(), "h", tmp_path / "out")


def test_integer_and_float32_columns_and_null_inside_a_list(tmp_path: Path) -> None:
    rows = hourly(40, i=lambda t: t, f=lambda t: t / 2)
    roles = Roles(targets=("y",), covariates=Covariates(past=("i", "f")))
    write_examples(tmp_path / "examples", rows, BORDERS, types={"i": pa.int64(), "f": pa.float32()})
    path = tmp_path / "examples" / "Split-train" / "part-00000.parquet"
    table = pq.read_table(path)
    cells = [[None] if t == 4 else [] if t == 6 else [float(t)] for t in range(20)]
    table = table.set_column(
        table.schema.get_field_index("y"), "y", pa.array(cells, pa.list_(pa.float64()))
    )
    pq.write_table(table, path)
    build_store(
        tmp_path / "examples", BORDERS, SPEC, roles, GapsConfig(max=1), "h", tmp_path / "out"
    )
    store = SeriesStore.load(tmp_path / "out")
    hours = np.arange(40.0)
    np.testing.assert_array_equal(store.values, np.stack([hours, hours, hours / 2], axis=1))
    assert np.argwhere(~store.observed).tolist() == [[4, 0], [6, 0]]


def test_frequency_is_stored_in_its_canonical_form(tmp_path: Path) -> None:
    _, store = run(tmp_path, hourly(40), frequency="60min")
    assert store.frequency == Frequency.parse("h").alias
