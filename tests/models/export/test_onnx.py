"""What is written as ONNX computes what the network and its SavedModel compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings

from models.errors import BadInputError
from models.export.onnx.export import write_onnx
from models.export.onnx.graph import Graph
from models.export.onnx.recurrent import recurrent
from models.export.onnx.values import calendar
from models.export.saved_model import export_forecaster
from models.features.calendar import Calendar
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec
from serving.runtimes.onnx import OnnxRuntime
from tests.models.export.engine_cases import (
    EVERYTHING,
    FEATURES,
    FREQUENCIES,
    MEAN,
    described,
    forecasters,
    trained,
    windows,
)

SPEC = WindowSpec(lookback=7, horizon=3, gap=2)
TOLERANCE = 1e-5


def run(folder: Path, about: dict[str, Any], feed: dict[str, Any]) -> dict[str, Any]:
    """By tensor, what ONNX Runtime makes of raw values, text as bytes."""
    runtime = OnnxRuntime(folder / "model.onnx")
    names = sorted(runtime.outputs)
    tensors = {
        name: np.array([w.encode() for w in feed[column]], object)
        if feed[column].dtype == object
        else feed[column]
        for column, name in about["inputs"].items()
    }
    return dict(zip(names, runtime.run(tensors, names), strict=True))


def close(got: dict[str, Any], expected: dict[str, Any]) -> None:
    """Within the tolerance of how far the expected values are from the level of the data."""
    assert set(got) == set(expected)
    for name, want in expected.items():
        assert got[name].shape == want.shape
        assert got[name].dtype == np.float32
        scale = max(1.0, np.abs(want - MEAN).max())
        np.testing.assert_allclose(got[name] / scale, want / scale, rtol=0, atol=TOLERANCE)


def against_the_network(
    spec: WindowSpec, roles: Roles, config: ModelConfig, frequency: str, folder: Path, rows: int = 5
) -> None:
    network = trained(spec, roles, config, frequency)
    about, _ = described(network, spec, roles, frequency)
    write_onnx(network, about, folder)
    feed = windows(spec, roles, rows)
    forecasts = network({k: tf.constant(v) for k, v in feed.items()}, training=False)
    expected = {about["outputs"][t]: np.asarray(v) for t, v in forecasts.items()}
    close(run(folder, about, feed), expected)


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(
            cell="lstm", units=(5, 4), normalize="window", channels="shared", shortcut=True,
            bidirectional=True,
        ),
        ModelConfig(cell="gru", units=(5,), activation="relu", normalize="none"),
        ModelConfig(cell="simple_rnn", units=(3, 4), activation="sigmoid", bidirectional=True),
        ModelConfig(cell="second_order", units=(4, 3), bidirectional=True, channels="shared"),
    ],
    ids=lambda config: config.cell,
)  # fmt: skip
def test_every_kind_of_column_through_every_cell(config: ModelConfig, tmp_path: Path) -> None:
    against_the_network(SPEC, EVERYTHING, config, "ME", tmp_path)


@given(case=forecasters())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_forecaster_is_written_as_it_is(
    case: tuple[WindowSpec, Roles, ModelConfig, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    against_the_network(*case, tmp_path_factory.mktemp("onnx"))


@pytest.mark.nightly
@given(case=forecasters())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_hundred_forecasters_are_written_as_they_are(
    case: tuple[WindowSpec, Roles, ModelConfig, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    against_the_network(*case, tmp_path_factory.mktemp("onnx"), rows=1)


def test_the_file_beside_a_saved_model_answers_as_it(tmp_path: Path) -> None:
    config = ModelConfig(units=(4,), normalize="window")
    network = trained(SPEC, EVERYTHING, config, "ME")
    folder = tmp_path / "model"
    export_forecaster(
        network, folder, spec=SPEC, roles=EVERYTHING, frequency="ME", metadata={}, engine="onnx"
    )
    about, _ = described(network, SPEC, EVERYTHING, "ME")
    feed = windows(SPEC, EVERYTHING, 6)
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answer = signature(**{n: tf.constant(feed[c]) for c, n in about["inputs"].items()})
    close(run(folder, about, feed), {k: v.numpy() for k, v in answer.items()})
    assert not (folder / "step.tflite").exists()


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(cell="lstm", units=(4,), channels="shared"),
        ModelConfig(cell="gru", units=(4, 3), activation="relu", bidirectional=True),
        ModelConfig(cell="simple_rnn", units=(4,), activation="relu", shortcut=True),
        ModelConfig(cell="lstm", units=(4,), normalize="window"),
        ModelConfig(cell="second_order", units=(3,)),
    ],
    ids=["shared", "gru", "relu", "window", "second_order"],
)
def test_a_missing_value_is_no_forecast(config: ModelConfig, tmp_path: Path) -> None:
    """ONNX Runtime's own layers make a number of a nan."""
    roles = Roles(
        targets=("y", "z"),
        covariates=Covariates(past=("wind",), future=("price",), static=("area",)),
    )
    network = trained(SPEC, roles, config, "h")
    about, _ = described(network, SPEC, roles, "h")
    write_onnx(network, about, tmp_path)
    places = [("y", 0), ("z", 6), ("wind", 3), ("price", 0), ("price", 7), ("price", 10)]
    feed = windows(SPEC, roles, len(places) + 2)
    for row, (column, step) in enumerate(places):
        feed[column][row, step] = np.nan
    feed["area"][len(places)] = np.nan  # the last row is whole
    forecasts = network({k: tf.constant(v) for k, v in feed.items()}, training=False)
    got = run(tmp_path, about, feed)
    for target, name in about["outputs"].items():
        want = np.asarray(forecasts[target])
        np.testing.assert_array_equal(np.isnan(got[name]), np.isnan(want))
        np.testing.assert_allclose(got[name], want, rtol=TOLERANCE, atol=1e-4)
        assert np.isfinite(got[name][-1]).all()


def test_equal_weights_give_equal_files(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        network = trained(SPEC, Roles(targets=("y",)), ModelConfig(units=(3,)), "h")
        about, _ = described(network, SPEC, Roles(targets=("y",)), "h")
        write_onnx(network, about, tmp_path / name)
        files.append((tmp_path / name / "model.onnx").read_bytes())
    assert files[0] == files[1]


def test_windows_that_do_not_move_are_finite(tmp_path: Path) -> None:
    """0 / 0 of a constant window is 0 in TensorFlow; ONNX's division would give nan."""
    roles = Roles(targets=("y",))
    network = trained(SPEC, roles, ModelConfig(units=(3,), normalize="window"), "h")
    about, _ = described(network, SPEC, roles, "h")
    write_onnx(network, about, tmp_path)
    feed = {"y": np.repeat(np.float32([[5.0], [0.0], [-1e30]]), SPEC.lookback, axis=1)}
    expected = np.asarray(network({"y": tf.constant(feed["y"])}, training=False)["y"])
    got = run(tmp_path, about, feed)["y"]
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=1e-7)


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_calendars_are_those_of_the_layer(frequency: str, tmp_path: Path) -> None:
    layer = Calendar(FEATURES, frequency, 3, 4)
    graph = Graph()
    time = graph.input("time", (None,), "int64")
    out = graph.named(calendar(graph, layer)(time), "forecast.out")
    (tmp_path / "model.onnx").write_bytes(graph.model([time], [out], {}).SerializeToString())
    seconds = np.random.default_rng(1).integers(-(2**32), 2**33, 200)  # 1833 to 2242
    seconds = np.concatenate([seconds, [0, -1, 951_782_400, 951_868_799, -86_400]])
    (got,) = OnnxRuntime(tmp_path / "model.onnx").run({"time": seconds}, ["out"])
    np.testing.assert_allclose(got, layer(tf.constant(seconds)).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (keras.layers.LSTM(3, activation="elu", name="odd"), "activation elu"),
        (keras.layers.GRU(3, go_backwards=True, name="odd"), "go_backwards"),
        (keras.layers.SimpleRNN(3, stateful=True, name="odd"), "stateful"),
        (
            keras.layers.Bidirectional(keras.layers.LSTM(3), merge_mode="sum", name="odd"),
            "merge_mode sum",
        ),
    ],
)
def test_what_onnx_cannot_do_is_refused_by_name(layer: Any, words: str) -> None:
    layer.build((1, 4, 2))
    with pytest.raises(BadInputError, match=f"'odd'.*{words}"):
        recurrent(Graph(), layer)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_gru_of_either_kind(reset_after: bool, use_bias: bool, tmp_path: Path) -> None:
    layer = keras.layers.GRU(4, reset_after=reset_after, use_bias=use_bias, return_sequences=True)
    values = np.random.default_rng(0).normal(size=(3, 6, 2)).astype(np.float32)
    layer(values)
    layer.set_weights([np.random.default_rng(2).normal(size=w.shape) for w in layer.weights])
    graph = Graph()
    given_ = graph.input("x", (None, 6, 2), "float32")
    out = graph.named(recurrent(graph, layer)(given_), "forecast.out")
    (tmp_path / "model.onnx").write_bytes(graph.model([given_], [out], {}).SerializeToString())
    (got,) = OnnxRuntime(tmp_path / "model.onnx").run({"x": values}, ["out"])
    np.testing.assert_allclose(got, np.asarray(layer(values)), atol=TOLERANCE)


def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match=r"elman\[onnx\]"):
        Graph()


def test_calendar_alone_is_an_input(tmp_path: Path) -> None:
    roles = Roles(targets=("y",), covariates=Covariates(calendar=("hour_of_day",)))
    against_the_network(SPEC, roles, ModelConfig(units=(3,)), "h", tmp_path)
