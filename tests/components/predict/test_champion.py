"""From a file to forecasts, beside the same file through ingestion, windows and the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import ingest
from components.predict.champion import Champion
from components.predict.predict import predict
from components.windows.build import build_store
from models.errors import BadInputError
from models.export.loaded import LoadedForecaster
from models.history.recipe import DataDescription, RawData
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.holes import Fill
from models.windows.spec import WindowSpec
from models.windows.store import SPLITS, SeriesStore
from serving.history.frame import HistoryFrame

ROLES = Roles(
    targets=("y", "z"),
    covariates=Covariates(
        past=("p", "observed"),
        future=("f",),
        static=("area", "region"),
        calendar=("hour_of_day",),
    ),
)
SPEC = WindowSpec(lookback=6, horizon=3, gap=1, stride=2)
SPLIT = SplitConfig(validation=0.2, test=0.2)


def write(path: Path, timezone: str = "UTC") -> pd.DataFrame:
    """Hourly rows of three series with holes of all lengths, shuffled."""
    random = np.random.default_rng(8)
    parts = []
    for number, name in enumerate(["south 1", "b", "ä"]):
        count = 150 - 20 * number
        local = pd.date_range("2024-02-01 05:00", periods=count, freq="h")
        part = pd.DataFrame({"when": local.strftime("%Y-%m-%d %H:%M"), "id": name})
        for column in ROLES.dynamic:
            part[column] = random.normal(10, 3, count).round(3)
            part.loc[random.random(count) < 0.06, column] = np.nan
        part["area"], part["region"] = 1.5 + number, ("north", "nowhere", "south")[number]
        kept = random.random(count) >= 0.04
        kept[100:108] = False
        parts.append(part[kept])
    frame = pd.concat(parts).sample(frac=1, random_state=1)
    frame.to_csv(path, index=False)
    return frame


@pytest.mark.parametrize(
    ("fill", "timezone"),
    [("linear", "UTC"), ("previous", "Asia/Kolkata"), ("mean", "UTC")],
)
def test_forecasts_are_those_that_were_scored(tmp_path: Path, fill: Fill, timezone: str) -> None:
    from models.features.scaling import Scaling
    from models.network.build import build_forecaster
    from models.network.config import ModelConfig

    write(tmp_path / "data.csv")
    gaps = GapsConfig(max=3, fill=fill)
    data = DataConfig(
        path="data.csv", time="when", series="id", frequency="h", gaps=gaps, timezone=timezone
    )
    report = ingest(data, SPLIT, ROLES, tmp_path, tmp_path / "examples")
    build_store(
        tmp_path / "examples", report.boundaries, SPEC, ROLES, gaps, "h", tmp_path / "store"
    )
    store = SeriesStore.load(tmp_path / "store")
    network = build_forecaster(
        spec=SPEC,
        roles=ROLES,
        model=ModelConfig(cell="gru", units=(3,), normalize="window"),
        scaling=Scaling.of(dict.fromkeys((*ROLES.dynamic, "area"), (10.0, 3.0))),
        frequency="h",
        vocabularies={"region": ("north", "south")},
        seed=2,
    )
    from models.export.saved_model import export_forecaster

    raw = RawData(time="when", series="id", timezone=timezone, gaps=gaps)
    export_forecaster(
        network,
        tmp_path / "serving" / "5",
        spec=SPEC,
        roles=ROLES,
        frequency="h",
        metadata={"data": DataDescription.of(raw, store).model_dump(mode="json")},
    )
    out = tmp_path / "out.parquet"
    champion = Champion(tmp_path / "serving")
    made = predict(data, champion, str(tmp_path / "data.csv"), out, origins="all", batch_size=50)
    frame = pd.read_parquet(out)
    rows = frame.groupby(["id", "origin"])[["y", "z"]]
    found = {
        (series, int(origin.timestamp())): values.to_numpy() for (series, origin), values in rows
    }
    assert len(found) == made.forecasts
    assert str(frame["origin"].dt.tz) == "UTC"
    loaded, checked = LoadedForecaster(tmp_path / "serving" / "5"), 0
    for split in SPLITS:
        view = store.view(split)
        batch, expected = view.gather(), loaded.predict(view)
        for i in range(len(view)):
            key = (store.series[batch.series[i]], int(batch.time[i]))
            np.testing.assert_allclose(found[key], expected[i], rtol=1e-5, atol=1e-5)
            checked += 1
    assert checked > 80


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kolkata", "Europe/Berlin"])
@pytest.mark.parametrize("alias", ["h", "D"])
def test_a_data_frame_is_read_as_a_file_is(tmp_path: Path, timezone: str, alias: str) -> None:
    from components.predict.rows import staged
    from models.frequency import Frequency
    from models.history.recipe import WindowRecipe

    roles = Roles(targets=("y",), covariates=Covariates(static=("region",)))
    recipe = WindowRecipe(
        spec=SPEC,
        roles=roles,
        step=Frequency.parse(alias),
        text=("region",),
        data=DataDescription(time="when", series="id", timezone=timezone),
    )
    # Over a change of clocks in Berlin; midnights of another zone would leave the days' grid.
    start = "2024-03-30 18:00" if alias == "h" else "2024-05-06"
    index = pd.date_range(start, periods=12, freq=alias)
    for zone in (None, "UTC", "America/New_York", timezone):
        # Local time has to stop before the hour that is not there.
        skips = zone in (None, "Europe/Berlin") and timezone == "Europe/Berlin" and alias == "h"
        times = index[:8] if skips else index
        times = times if zone is None else times.tz_localize(zone)
        frame = pd.DataFrame({"when": times, "y": 1.5, "id": 7, "region": "x"})
        frame.to_csv(tmp_path / "in.csv", index=False)
        data = DataConfig(path="x", time="when", series="id", frequency=alias, timezone=timezone)
        (tmp_path / "work").mkdir(exist_ok=True)
        with staged(data, recipe, str(tmp_path / "in.csv"), tmp_path / "work") as source:
            source.settle()
            (one,) = [
                (s.series, s.static, [np.concatenate(b) for b in zip(*s.blocks, strict=True)])
                for s in source.series()
            ]
        for given in (frame, pd.read_csv(tmp_path / "in.csv")):
            read = HistoryFrame.of(given, recipe)
            assert read.series == (one[0],)
            assert {k: v[0] for k, v in read.static.items()} == one[1]
            np.testing.assert_array_equal(read.time, one[2][0])
            np.testing.assert_array_equal(read.values, one[2][1])


def test_a_model_that_does_not_describe_its_data_is_refused(tmp_path: Path) -> None:
    from tests.serving.client.forecasters import export

    folder = export(tmp_path / "serving" / "3")
    file = folder / "assets.extra" / "elman.json"
    file.write_text(file.read_text().replace('"data":', '"datum":'))
    with pytest.raises(BadInputError, match=r"version 3 does not say .*older version of Elman"):
        Champion(tmp_path / "serving")


def test_results_do_not_depend_on_the_size_of_batches(tmp_path: Path) -> None:
    from tests.serving.client.forecasters import RICH, export, history

    export(tmp_path / "serving" / "3", roles=RICH)
    history(RICH, series={f"s{i}": 20 + i for i in range(9)}).to_csv(tmp_path / "in.csv")
    data = DataConfig(path="x", time="week", series="site", frequency="W-SAT")
    frames = []
    for size in (1, 7, 64):
        out = tmp_path / f"{size}.parquet"
        predict(
            data,
            Champion(tmp_path / "serving"),
            str(tmp_path / "in.csv"),
            out,
            origins="all",
            batch_size=size,
        )
        frames.append(pd.read_parquet(out))
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0], rtol=1e-5, atol=1e-5)


def test_the_recipe_has_the_names_of_the_input(tmp_path: Path) -> None:
    from tests.serving.client.forecasters import export, history

    export(tmp_path / "serving" / "3")
    frame = history().rename(columns={"week": "Date", "site": "shop"})
    frame.to_csv(tmp_path / "in.csv", index=False)
    data = DataConfig(path="x", time="Date", series="shop", frequency="D")
    champion = Champion(tmp_path / "serving")
    predict(data, champion, str(tmp_path / "in.csv"), tmp_path / "out.csv")
    names = pd.read_csv(tmp_path / "out.csv").columns.tolist()
    assert names == ["shop", "origin", "Date", "step", "y"]
    assert champion.recipe.data.time == "week"
