"""A client of a folder: the models run in this process, by any engine, as a server runs them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import BadInputError
from serving.client import ForecastClient, Tls
from tests.serving.client.conftest import Connect
from tests.serving.client.forecasters import PLAIN, RICH, export, history
from tests.serving.client.test_forecast import close
from tests.serving.contract.engines import Running, Setup
from tests.serving.contract.setups import entry

STATIC = {"area": [1.5, 2.5], "region": ["north", "nowhere"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 (windows by ONNX Runtime) and 2 (steps by LiteRT)."""
    base = tmp_path_factory.mktemp("pushed") / "rich model"
    export(base / "1", roles=RICH, engine="onnx")
    export(base / "2", roles=RICH, engine="litert")
    return base


@pytest.fixture(scope="module")
def running(
    server_loop: Any, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server of version 1, its windows by ONNX Runtime, in batches."""
    from tests.serving.contract.embedded import EmbeddedServer

    versions = {("default", 1): folder / "1"}
    setup = Setup(entry("default"), versions, flags=("--inference_engine=onnx",), batching="")
    server = EmbeddedServer(tmp_path_factory.mktemp("server"), setup, server_loop)
    yield server
    server.stop()


@pytest.mark.parametrize("engine", ["tensorflow", "onnx"])
def test_windows_are_forecast_as_a_server_does(
    running: Running, connect: Connect, folder: Path, engine: Any
) -> None:
    frame = history(RICH)
    with ForecastClient(folder.as_uri(), "rich", version=1, engine=engine) as client:
        close(client.forecast(frame), connect(running).forecast(frame))


def test_steps_by_litert_are_those_of_tensorflow(folder: Path) -> None:
    frame = history(RICH, series={"a": 12, "b": 9}, seed=4)
    answers = []
    for engine in ("tensorflow", "litert"):
        with ForecastClient(folder.as_uri(), "rich", engine=engine) as client:  # type: ignore[arg-type]
            assert client.describe().version == 2
            session = client.stream(["a", "b"], static=STATIC)
            answers.append(session.feed(frame, every=True))
            state = session.state.to_bytes()
            assert client.stream(state).state.series == ("a", "b")
    close(*answers)


def test_a_new_version_is_taken_up_and_one_that_is_gone_is_told(
    folder: Path, tmp_path: Path
) -> None:
    base = tmp_path / "model"
    shutil.copytree(folder / "1", base / "1")
    frame = history(RICH)
    with (
        ForecastClient(base.as_uri(), "m", engine="onnx", refresh=0) as newest,
        ForecastClient(base.as_uri(), "m", version=1) as first,
    ):
        before = newest.forecast(frame)
        assert newest.describe().version == 1
        shutil.copytree(folder / "2", base / "2")
        assert newest.describe().version == 2
        close(newest.forecast(frame), before)  # the same weights, by TensorFlow
        assert [v.version for v in newest.versions()] == [2, 1]
        shutil.rmtree(base / "1")
        with pytest.raises(BadInputError, match=r"no version 1.*has the versions 2"):
            first.forecast(frame)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": "file://elsewhere/models"}, "expected file:///absolute/folder"),
        ({"endpoint": "file:///no/such/folder"}, "push a model first"),
        ({"token": "a-token"}, "leave out token"),
        ({"tls": Tls()}, "leave out token"),
        ({"engine": "torch"}, "expected one of tensorflow, onnx, litert"),
        ({"endpoint": "http://127.0.0.1:1", "engine": "onnx"}, "has an engine of its own"),
        ({"label": "stable"}, "a folder has no labels"),
    ],
)
def test_what_cannot_be_is_told(folder: Path, options: dict[str, Any], words: str) -> None:
    endpoint = options.pop("endpoint", folder.as_uri())
    with (
        pytest.raises(BadInputError, match=words),
        ForecastClient(endpoint, "rich", **options) as client,
    ):
        client.describe()


def test_an_empty_folder_has_nothing_to_run(tmp_path: Path) -> None:
    with (
        ForecastClient(tmp_path.as_uri(), "m") as client,
        pytest.raises(BadInputError, match="there is no version"),
    ):
        client.forecast(history(PLAIN))


def test_what_a_model_refuses_is_told(folder: Path) -> None:
    with ForecastClient(folder.as_uri(), "rich", version=1, engine="onnx") as client:
        frame = history(RICH)
        with pytest.raises(BadInputError):
            client.forecast(frame.drop(columns=["wind"]))
        assert np.isfinite(client.forecast(frame)[list(RICH.targets)].to_numpy()).all()
