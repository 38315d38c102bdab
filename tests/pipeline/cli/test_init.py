"""`elman init` writes what `elman check` accepts, for tables of many kinds."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.infer import Guess
from components.ingest.inspect import Column
from models.frequency import Frequency
from pipeline.cli.main import cli
from pipeline.cli.preview import preview
from pipeline.cli.suggest import FEWEST_STEPS, suggest
from pipeline.cli.template import template
from pipeline.config import LoadedConfig, load, loads
from tests.shared_data import shared_data


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def elman(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def initialised(data: str) -> LoadedConfig:
    done = elman("init", data, "-o", "made.yaml")
    assert done.exit_code == 0, done.stderr
    assert "elman check made.yaml" in done.stdout
    checked = elman("check", "made.yaml")
    assert checked.exit_code == 0, checked.stderr
    return load("made.yaml")


def series(
    frequency: str, steps: int = 300, start: str = "2019-01-01", **more: object
) -> pd.DataFrame:
    stamps = pd.date_range(start, periods=steps, freq=frequency)
    noise = np.random.default_rng(5).normal(size=steps).round(3)
    return pd.DataFrame({"when": stamps, "load": noise, **more})


@pytest.mark.parametrize(
    ("frequency", "season"),
    [("h", 24), ("30min", 48), ("15min", 96), ("min", 1440), ("10s", 6), ("D", 7), ("W-SAT", 52),
     ("W-MON", 52), ("MS", 12), ("ME", 12), ("QS-JAN", 4), ("QE-DEC", 4), ("YS-JAN", 1),
     ("B", 5), ("2h", 12)],
)  # fmt: skip
def test_step_and_season(here: Path, frequency: str, season: int) -> None:
    start, steps = ("1900-01-01", 120) if frequency[0] in "YQM" else ("2019-01-01", 600)
    series(frequency, steps, start).to_csv("table.csv", index=False)
    loaded = initialised("table.csv")
    data = loaded.config.data
    assert (data.time, data.series, data.time_format) == ("when", None, None)
    found = Frequency.parse(data.frequency)
    assert found.season == season
    stamps = pd.date_range(start, periods=steps, freq=frequency).astype("datetime64[s]")
    assert found.index_of(stamps.astype("int64"), int(stamps.astype("int64")[0])).tolist() == [
        *range(steps)
    ]
    if found.step is not None or frequency in ("MS", "ME", "B"):
        assert data.frequency == frequency
    assert loaded.config.targets == ("load",)
    assert loaded.config.data.gaps.max == 0


def test_several_series_with_static_columns_and_text(here: Path) -> None:
    frames = [
        series("D", 120, store=name, area=area, open="yes", note=[f"n{i}" for i in range(120)])
        for name, area in (("north", 12.5), ("south", 80.0), ("east", 33.0))
    ]
    table = pd.concat(frames).assign(constant=1.0).sample(frac=1, random_state=0)
    table.to_csv("table.csv", index=False)
    loaded = initialised("table.csv")
    assert loaded.config.data.series == "store"
    assert loaded.config.targets == ("load",)
    assert loaded.config.covariates.static == ("area",)
    text = Path("made.yaml").read_text()
    assert "# Left out: note (text that changes over time)" in text
    assert "# Left out: constant (constant)" in text
    assert preview(loaded).series == 3


@pytest.mark.parametrize(
    ("format_", "step"),
    [("%d.%m.%Y %H:%M", "h"), ("%m/%d/%Y", "D"), ("%d/%m/%Y", "D"), ("%Y%m%d", "D"),
     ("%Y/%m/%d %H:%M:%S", "15min")],
)  # fmt: skip
def test_time_formats(here: Path, format_: str, step: str) -> None:
    table = series(step, 400)
    table.assign(when=table["when"].dt.strftime(format_)).to_csv("table.csv", index=False)
    data = initialised("table.csv").config.data
    assert data.time_format in (format_, None)
    assert data.frequency == step


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_epochs(here: Path, unit: str) -> None:
    table = series("h", 400)
    factor = {"s": 10**9, "ms": 10**6}[unit]
    table.assign(when=table["when"].astype("int64") // factor).to_csv("table.csv", index=False)
    data = initialised("table.csv").config.data
    assert (data.time, data.time_format, data.frequency) == ("when", unit, "h")


def gz(table: pd.DataFrame) -> str:
    Path("table.csv.gz").write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    return "table.csv.gz"


def parquet(table: pd.DataFrame) -> str:
    table.to_parquet("table.parquet", index=False)
    return "table.parquet"


def jsonl(table: pd.DataFrame) -> str:
    table.assign(when=table["when"].astype(str)).to_json("t.jsonl", orient="records", lines=True)
    return "t.jsonl"


def globbed(table: pd.DataFrame) -> str:
    Path("parts").mkdir()
    table[:200].to_csv("parts/one.csv", index=False)
    table[200:].to_csv("parts/two.csv", index=False)
    return "parts/*.csv"


def semicolons(table: pd.DataFrame) -> str:
    table.to_csv("table.csv", index=False, sep=";")
    return "table.csv"


@pytest.mark.parametrize("write", [gz, parquet, jsonl, globbed, semicolons])
def test_formats(here: Path, write: Callable[[pd.DataFrame], str]) -> None:
    loaded = initialised(write(series("h", 400)))
    assert loaded.config.targets == ("load",)
    assert preview(loaded).kept == 400


def test_holes_are_counted_and_short_ones_filled(here: Path) -> None:
    table = series("h", 900)
    table.loc[[300, 301, 302], "load"] = np.nan
    table.drop(index=[100, 400, 401, 402, 403, 404, 405, 406]).to_csv("table.csv", index=False)
    loaded = initialised("table.csv")
    assert loaded.config.data.gaps.max == 4
    assert "11 steps are missing in 3 holes, the longest 7" in Path("made.yaml").read_text()
    found = preview(loaded)
    assert (found.holes_filled, found.holes_splitting, found.longest_hole) == (2, 1, 7)


def test_the_folder_of_the_file_is_where_paths_start(here: Path) -> None:
    Path("data").mkdir()
    Path("conf").mkdir()
    series("h").to_csv("data/table.csv", index=False)
    assert elman("init", "data/table.csv", "-o", "conf/a.yaml").exit_code == 0
    assert load("conf/a.yaml").config.data.path == "../data/table.csv"
    assert elman("check", "conf/a.yaml").exit_code == 0


def test_an_existing_file_is_kept(here: Path) -> None:
    series("h").to_csv("table.csv", index=False)
    Path("table.yaml").write_text("mine")
    refused = elman("init", "table.csv")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert Path("table.yaml").read_text() == "mine"
    assert elman("init", "table.csv", "--force").exit_code == 0
    assert load("table.yaml").config.name == "table"
    assert sorted(p.name for p in here.iterdir()) == ["table.csv", "table.yaml"]


def no_time(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="when")


def irregular(table: pd.DataFrame) -> pd.DataFrame:
    minutes = np.random.default_rng(3).integers(1, 5000, len(table)).cumsum()
    return table.assign(when=pd.Timestamp("2020-01-01") + pd.to_timedelta(minutes, unit="min"))


def nameless_series(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table.assign(load=table["load"] + i) for i in range(3)])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (no_time, "no column reads as time; the columns are: load"),
        (irregular, "no regular step: the differences are"),
        (nameless_series, "no column tells the series apart"),
        (lambda t: t.assign(load=1.0), "no numeric column that varies"),
        (lambda t: t[["when"]], "no numeric column that varies"),
        (lambda t: t[:20], "only 20 time steps of 'h'; expected at least 30"),
        (lambda t: t[:1], "no two rows of a series differ in time"),
        (lambda t: t[:0], "a table without rows"),
    ],
)
def test_refusals(here: Path, change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    change(series("h")).to_csv("table.csv", index=False)
    done = elman("init", "table.csv")
    assert done.exit_code == 2
    assert words in done.stderr
    assert [p.name for p in here.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("name", ["ett/ETTh1.csv", "nyc_taxi/taxi_new_york_passengers.csv"])
def test_real_data(here: Path, name: str) -> None:
    loaded = initialised(str(shared_data(name)))
    assert loaded.config.data.frequency == {"e": "h", "n": "30min"}[name[0]]


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        texts.filter(lambda s: s not in ("time", "series", "observed")),
        min_size=5, max_size=5, unique=True,
    ),
    st.sampled_from(["10s", "min", "15min", "h", "D", "B", "W-SAT", "2W-WED", "MS", "QE-DEC"]),
    st.integers(FEWEST_STEPS, 3000),
    st.integers(0, 40),
    texts.filter(lambda s: s.strip()),
)  # fmt: skip
def test_whatever_the_names_the_template_is_valid(
    names: list[str], frequency: str, steps: int, hole: int, path: str
) -> None:
    time, series_, one, two, static = names
    column = Column(time, "VARCHAR", steps, steps, False, False, "%d.%m.%Y")
    step = Frequency.parse(frequency)
    guess = Guess(
        time=column,
        series=Column(series_, "VARCHAR", steps, 2, False, False, None),
        frequency=step,
        targets=(one, two),
        static=(static,),
        left_out=((path, "constant"),),
        rows=steps,
        series_count=2,
        first=0,
        last=step.shift(0, steps),
        steps=steps,
        holes=int(hole > 0),
        missing_steps=hole,
        longest_hole=hole,
    )
    made = suggest(guess)
    config = loads(template("a", path, guess, made)).config
    assert config.data.path == path
    assert config.targets == (one, two)
    assert (config.data.time, config.data.series) == (time, series_)
    assert config.covariates.static == (static,)
    validation = int(0.15 * steps)
    assert made.horizon <= validation
    assert config.window.span <= steps - 2 * validation
