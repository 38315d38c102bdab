"""Forecasts through a server are those of the model itself, in either protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.ingest.config import DataConfig
from components.predict.champion import Champion
from components.predict.predict import predict
from models.errors import BadInputError, FailedRunError
from tests.serving.client.conftest import Connect, Exports
from tests.serving.client.forecasters import PLAIN, RICH, SPEC, history
from tests.serving.conftest import ModelFamily, Start
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.setups import entry, labels, specific


@pytest.fixture(scope="module")
def running(
    start: Start, exports: Exports, family: ModelFamily, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    two = specific(1, 2) + labels(stable=1, canary=2)
    setup = Setup(
        " ".join(
            [entry("rich"), entry("plain"), entry("two", more=two), entry("half"), entry("carried")]
        ),
        {
            ("rich", 7): exports.rich,
            ("plain", 1): exports.plain,
            ("two", 1): exports.plain,
            ("two", 2): exports.longer,
            ("half", 1): family.half_plus_two,
            ("carried", 1): exports.carried,
        },
    )
    server = start(tmp_path_factory.mktemp("forecasters"), setup)
    yield server
    server.stop()


def batch(frame: pd.DataFrame, model: Path, folder: Path) -> pd.DataFrame:
    """The forecasts of batch prediction, straight from the SavedModel."""
    folder.mkdir(parents=True)
    directory = folder / "serving"
    directory.mkdir()
    (directory / "1").symlink_to(model)
    frame.to_csv(folder / "in.csv", index=False)
    data = DataConfig(path="x.csv", time="week", series="site", frequency="W-SAT")
    predict(data, Champion(directory), str(folder / "in.csv"), folder / "out.parquet")
    return pd.read_parquet(folder / "out.parquet")


def close(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        a, b, check_dtype=False, rtol=1e-5, atol=1e-5, check_column_type=False
    )


@pytest.mark.parametrize("name", ["rich", "plain"])
def test_a_client_forecasts_as_batch_prediction_does(
    running: Running, connect: Connect, exports: Exports, tmp_path: Path, name: str
) -> None:
    roles = {"rich": RICH, "plain": PLAIN}[name]
    frame = history(roles)
    frame = frame.drop(index=[5, 6, 24]).sample(frac=1, random_state=1)
    frame.loc[frame["week"] == "2024-03-09", roles.targets[0]] = np.nan
    expected = batch(frame, getattr(exports, name), tmp_path / "batch")
    got = connect(running, name).forecast(frame)
    close(got, expected)
    assert list(got.columns) == ["site", "origin", "week", "step", *roles.targets]
    assert got["site"].tolist() == ["a"] * 3 + ["b"] * 3
    assert got["step"].tolist() == [1, 2, 3] * 2
    assert (got["week"] - got["origin"]).dt.days.tolist() == [14, 21, 28] * 2
    assert str(got["week"].dtype) == "datetime64[ns]"
    assert got[roles.targets[0]].dtype == np.float32
    assert got[roles.targets[0]].nunique() == 6


def test_results_do_not_depend_on_the_size_of_requests(running: Running, connect: Connect) -> None:
    frame = history(RICH, series={f"s{i:02d}": 14 + i for i in range(11)})
    whole = connect(running, "rich").forecast(frame)
    for size in (1, 4):
        close(connect(running, "rich", batch_size=size).forecast(frame), whole)


def test_an_earlier_origin_uses_nothing_that_came_later(running: Running, connect: Connect) -> None:
    client = connect(running, "rich")
    frame = history(RICH)
    origin = pd.Timestamp("2024-03-23")
    got = client.forecast(frame, origin=origin)
    assert (got["origin"] == origin).all()
    known = frame.copy()
    past = [*RICH.targets, "wind"]
    known.loc[known["week"] > origin, past] = np.nan
    close(client.forecast(known, origin="2024-03-23"), got)
    close(client.forecast(known), got)


def test_what_the_server_says_of_the_model(running: Running, connect: Connect) -> None:
    client = connect(running, "two")
    found = client.metadata()
    assert found["spec"]["lookback"] == 12
    assert found["data"]["series"] == "site"
    assert "run_id" not in found
    assert client.describe().version == 2
    assert [(v.version, v.state) for v in client.versions()] == [
        (2, "AVAILABLE"),
        (1, "AVAILABLE"),
    ]


@pytest.mark.parametrize(
    ("pin", "version"), [({"version": 1}, 1), ({"label": "stable"}, 1), ({"label": "canary"}, 2)]
)
def test_a_version_can_be_pinned_by_number_or_label(
    running: Running, connect: Connect, pin: dict[str, object], version: int
) -> None:
    client = connect(running, "two", **pin)
    assert client.describe().version == version
    expected = connect(running, "two", version=version).forecast(history())
    close(client.forecast(history()), expected)
    assert len(expected) == {1: 6, 2: 4}[version]


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("plian", {}, "the server has no model 'plian'"),
        ("two", {"version": 9}, "the server has the versions 2 (AVAILABLE), 1 (AVAILABLE)"),
        ("two", {"label": "stabel"}, "the server has the versions 2 (AVAILABLE), 1 (AVAILABLE)"),
        ("half", {}, "does not describe itself"),
    ],
)
def test_unknown_models_versions_and_labels(
    running: Running, connect: Connect, model: str, options: dict[str, object], words: str
) -> None:
    client = connect(running, model, **options)
    with pytest.raises(BadInputError) as caught:
        client.forecast(history())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_model_has_no_versions(running: Running, connect: Connect) -> None:
    with pytest.raises(BadInputError, match="no model 'nothing'"):
        connect(running, "nothing").versions()


def test_a_server_that_is_not_there(protocol: str) -> None:
    import socket

    from serving.client import ForecastClient

    with socket.socket() as held:  # bound, so that nobody else listens there
        held.bind(("127.0.0.1", 0))
        scheme = {"rest": "http", "grpc": "grpc"}[protocol]
        url = f"{scheme}://127.0.0.1:{held.getsockname()[1]}"
        with (
            ForecastClient(url, "m", retries=1) as client,
            pytest.raises(FailedRunError, match=r"127\.0\.0\.1:.*tried 2 times"),
        ):
            client.metadata()


def test_one_series_needs_no_column_of_ids(serve: object, connect: Connect, tmp_path: Path) -> None:
    from tests.serving.client.forecasters import export

    model = export(tmp_path / "one", data={"series": None, "time": "y", "timezone": "UTC"},
                   roles=PLAIN.model_copy(update={"targets": ("step",)}))  # fmt: skip
    running = serve(Setup(entry("default"), {("default", 1): model}))  # type: ignore[operator]
    frame = history(series={"": 9}).rename(columns={"y": "step", "week": "y"}).drop(columns="site")
    got = connect(running).forecast(frame.set_index("y"))
    assert list(got.columns) == ["origin", "y", "step_", "step"]
    assert got["step_"].tolist() == list(range(1, SPEC.horizon + 1))


def test_a_model_that_was_scored_on_streams_warns_of_a_window(
    running: Running, connect: Connect
) -> None:
    client = connect(running, "carried")
    with pytest.warns(UserWarning, match=r"version 1 of model 'carried'.*truncated BPTT"):
        client.forecast(history())
