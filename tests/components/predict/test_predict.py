"""Batch prediction: the windows of training, whatever the file, and whole files only."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from components.predict.predict import predict
from models.errors import BadInputError
from models.export.feed import view_feed
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS
from tests.components.predict.inputs import DATA, Echo, cells, write_csv, write_parquet
from tests.models.history.tables import HOUR, START, Table, tables

EXAMPLES = int(os.environ.get("ELMAN_EXAMPLES", "25"))
Forecasts = dict[tuple[str, int], np.ndarray[Any, Any]]


def read(path: Path, table: Table) -> Forecasts:
    """Forecasts [horizon, targets] by series and origin; the rest of the file is checked."""
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    targets, spec = list(table.roles.targets), table.spec
    assert list(frame.columns) == ["id", "origin", "when", "step", *targets]
    for name in ("origin", "when"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[s, UTC]")
        frame[name] = frame[name].astype("int64")
    ahead = spec.gap + frame["step"]
    assert (frame["when"] == frame["origin"] + HOUR * ahead).all()
    assert frame.sort_values(["id", "origin", "step"], kind="stable").index.is_monotonic_increasing
    found: Forecasts = {}
    for (series, origin), rows in frame.groupby(["id", "origin"]):
        assert rows["step"].tolist() == list(range(1, spec.horizon + 1))
        found[series, origin] = rows[targets].to_numpy(np.float32)
    return found


def run(table: Table, folder: Path, model: Any, name: str = "out.csv", **options: Any) -> Forecasts:
    given_ = write_csv(folder / "in.csv", cells(table))
    predict(DATA, model, str(given_), folder / name, skip=True, **options)
    return read(folder / name, table)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), st.integers(1, 9))
def test_forecasts_are_those_of_the_windows_of_training(table: Table, size: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = table.store(folder)
        assume(store is not None)
        assert store is not None
        model = Echo(table.recipe(store))
        found = run(table, folder, model, origins="all", batch_size=size)
        assert max(model.calls) <= size
        assert sum(model.calls) == len(found)
        for split in SPLITS:
            view = store.view(split)
            batch = view.gather()
            feed = view_feed(view, table.spec, table.roles, model.recipe.text)
            expected = model.forecast(feed)
            for i in range(len(view)):
                key = (store.series[batch.series[i]], int(batch.time[i]))
                np.testing.assert_allclose(found[key], expected[i], rtol=1e-6)


ROLES = Roles(targets=("y", "z"), covariates=Covariates(past=("p", "observed"), static=("kind",)))


def plain(**change: Any) -> Table:
    """Three whole series of 30, 40 and 9 hours."""
    random = np.random.default_rng(3)
    lengths = {"a": 30, "b": 40, "short": 9}
    base: dict[str, Any] = {
        "steps": {s: np.arange(n) for s, n in lengths.items()},
        "values": {s: random.normal(size=(n, 3)).astype(np.float32) for s, n in lengths.items()},
        "roles": ROLES,
        "spec": WindowSpec(lookback=8, horizon=3, gap=1, stride=4),
        "gaps": GapsConfig(max=1),
        "borders": (0, 10, 20, 30),
    }
    return Table(**{**base, **change})


def test_by_default_each_series_is_forecast_from_its_last_step(tmp_path: Path) -> None:
    table = plain()
    found = run(table, tmp_path, Echo(table.recipe()))
    assert sorted(found) == [(s, int(table.time(s)[-1])) for s in ("a", "b", "short")]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet", "out.pq"])
def test_every_format_holds_the_same(tmp_path: Path, name: str) -> None:
    table = plain()
    model = Echo(table.recipe())
    first = run(table, tmp_path, model, "first.csv", origins="all", batch_size=2)
    source = write_parquet(tmp_path / "in.parquet", cells(table, seed=5))
    predict(DATA, model, str(source), tmp_path / name, origins="all", batch_size=7)
    if name.endswith("pq"):
        (tmp_path / name).rename(tmp_path / "other.parquet")
        name = "other.parquet"
    second = read(tmp_path / name, table)
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])


def test_several_files_are_one_input(tmp_path: Path) -> None:
    table = plain()
    model = Echo(table.recipe())
    whole = run(table, tmp_path, model)
    header, *rows = cells(table)
    for i in range(3):
        write_csv(tmp_path / f"part-{i}.csv", [header, *rows[i::3]])
    report = predict(DATA, model, str(tmp_path / "part-*.csv"), tmp_path / "o.csv")
    assert (report.series, report.forecasts, report.rows) == (3, 3, len(rows))
    found = read(tmp_path / "o.csv", table)
    assert found.keys() == whole.keys()
    for key in whole:
        np.testing.assert_array_equal(found[key], whole[key])


def test_bad_series_are_listed_before_anything_is_written(tmp_path: Path) -> None:
    table = plain(spec=WindowSpec(lookback=12, horizon=3))
    table.steps["b"][20:] += 5
    model = Echo(table.recipe())
    source = write_csv(tmp_path / "in.csv", cells(table))
    before = tmp_path / "out.csv"
    before.write_text("as it was")
    with pytest.raises(BadInputError) as caught:
        predict(DATA, model, str(source), before, origins=START + 28 * HOUR)
    text = str(caught.value)
    assert "2 of 3 series cannot be forecast (hole 2)" in text
    assert "series 'b': " in text
    assert "no rows for 5 steps before 2001-09-10T" in text
    assert "series 'short': " in text
    assert "--skip-short" in text
    assert model.calls == []
    assert before.read_text() == "as it was"
    report = predict(DATA, model, str(source), before, origins=START + 28 * HOUR, skip=True)
    assert report.skipped == {"hole": 2}
    assert [s for s, _ in read(before, table)] == ["a"]


def test_without_any_good_series_there_is_nothing_to_skip_to(tmp_path: Path) -> None:
    table = plain(spec=WindowSpec(lookback=100, horizon=3))
    source = write_csv(tmp_path / "in.csv", cells(table))
    with pytest.raises(BadInputError, match="3 of 3 series"):
        predict(DATA, Echo(table.recipe()), str(source), tmp_path / "out.csv", skip=True)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_many_bad_series_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    steps = {f"s{i:03d}": np.arange(5) for i in range(50)}
    table = plain(steps=steps, values={s: np.ones((5, 3), np.float32) for s in steps})
    source = write_csv(tmp_path / "in.csv", cells(table))
    with pytest.raises(BadInputError, match=r"50 of 50 series .*(?s:.*)and 30 more"):
        predict(DATA, Echo(table.recipe()), str(source), tmp_path / "out.csv")


def test_a_model_that_fails_leaves_the_old_output(tmp_path: Path) -> None:
    table = plain()

    class Failing(Echo):
        def forecast(self, feed: Any) -> Any:
            if len(self.calls) == 2:
                raise RuntimeError("out of memory")
            return super().forecast(feed)

    (tmp_path / "out.csv").write_text("as it was")
    with pytest.raises(RuntimeError, match="out of memory"):
        run(table, tmp_path, Failing(table.recipe()), batch_size=1)
    assert (tmp_path / "out.csv").read_text() == "as it was"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("out.xlsx", "cannot tell the format"),
        ("in.csv", "is the input"),
        ("nowhere/out.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
    ],
)
def test_a_wrong_output_is_refused_first(tmp_path: Path, output: str, words: str) -> None:
    table = plain()
    source = write_csv(tmp_path / "in.csv", cells(table))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadInputError, match=words):
        predict(DATA, Echo(table.recipe()), str(source), tmp_path / output)


def test_what_is_wrong_with_the_input_is_said(tmp_path: Path) -> None:
    table = plain()
    model = Echo(table.recipe())
    out = tmp_path / "out.csv"

    def fails(rows: list[list[object]], words: str, data: Any = DATA) -> None:
        source = write_csv(tmp_path / "in.csv", rows)
        with pytest.raises(BadInputError, match=words):
            predict(data, model, str(source), out)
        assert not out.exists()

    header, *rows = cells(table)
    with pytest.raises(BadInputError, match=r"--input 'no\.csv' does not exist"):
        predict(DATA, model, "no.csv", out)
    fails([["when", "id", "y", "zz", "p", "kind"], *rows], "no column 'z'; did you mean 'zz'")
    fails([header, ["2001-09-09 02:00:00", "a", "many", 1, 1, "k"], *rows], "unparseable number")
    fails([header, *rows, [*rows[0][:2], 9.5, *rows[0][3:]]], "conflicting duplicate")
    fails([header, *rows, [*rows[0][:-1], "other"]], "different values, '?")
    off = [["2001-09-09 02:30:00", *row[1:]] if i == 0 else row for i, row in enumerate(rows)]
    fails([header, *off], "off the grid")
    numeric = plain(roles=ROLES.model_copy(update={
        "covariates": Covariates(past=("p", "observed"), static=("area",))
    }))  # fmt: skip
    model = Echo(numeric.recipe())
    header, *rows = cells(numeric)
    fails([header, *rows[1:], [*rows[0][:-1], "wide"]], "has 'wide'; the model expects a number")
    fails([header, *([*row[:-1], None] for row in rows)], "has no value")
    report = predict(
        DATA.model_copy(update={"on_bad_rows": "drop"}),
        model,
        str(write_csv(tmp_path / "in.csv", [header, ["x", "a", 1, 1, 1, 0.5], *rows, rows[4]])),
        out,
    )
    assert report.dropped == {"unparseable time": 1}
    assert report.duplicates == 1


def test_daily_steps_are_dates_and_one_series_needs_no_column(tmp_path: Path) -> None:
    from dataclasses import replace

    from models.frequency import Frequency

    roles = Roles(targets=("step",))
    table = plain(roles=roles, steps={}, values={}, spec=WindowSpec(lookback=3, horizon=2))
    recipe = replace(table.recipe(), step=Frequency.parse("W-SAT"))
    rows: list[list[object]] = [["origin", "step"]]
    rows += [[str(np.datetime64("2024-01-06") + 7 * i), i] for i in range(6)]
    source = write_csv(tmp_path / "in.txt", rows)
    data = DATA.model_copy(update={"time": "origin", "series": None, "frequency": "D"})
    predict(data, Echo(recipe), str(source), tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")
    assert list(frame.columns) == ["origin_", "origin", "step_", "step"]
    assert frame["origin_"].tolist() == ["2024-02-10"] * 2
    assert frame["origin"].tolist() == ["2024-02-17", "2024-02-24"]
    assert frame["step_"].tolist() == [1, 2]


def test_progress_is_told_in_windows(tmp_path: Path) -> None:
    table, told = plain(), []

    class Told:
        def stage(self, name: str, total: int | None = None) -> None:
            told.append((name, total))

        def advance(self, windows: int) -> None:
            told.append(("more", windows))

    run(table, tmp_path, Echo(table.recipe()), origins="all", batch_size=5, progress=Told())
    assert told[:3] == [("reading", None), ("checking", None), ("forecasting", 16)]
    assert told[3:] == [("more", 5), ("more", 5), ("more", 5), ("more", 1)]


def test_the_standard_output_gets_csv(tmp_path: Path, capfdbinary: Any) -> None:
    table = plain()
    source = write_csv(tmp_path / "in.csv", cells(table))
    predict(DATA, Echo(table.recipe()), str(source), None)
    (tmp_path / "out.csv").write_bytes(capfdbinary.readouterr().out)
    assert len(read(tmp_path / "out.csv", table)) == 3
