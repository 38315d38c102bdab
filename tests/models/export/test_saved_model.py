from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError
from models.export.feed import batch_feed
from models.export.loaded import LoadedForecaster
from models.export.metadata import model_digest, read_metadata
from models.export.portable import all_layers, portable_copy
from models.export.saved_model import export_forecaster, text_inputs
from models.export.warmup import serialized_example
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Roles
from models.windows.spec import WindowSpec


def direct(model, view):
    store = view.store
    feed = batch_feed(view.gather(), store.spec, store.roles, text_inputs(model))
    outputs = model({k: tf.constant(v) for k, v in feed.items()}, training=False)
    return np.stack([outputs[t].numpy() for t in store.roles.targets], axis=-1)


def operations(folder) -> set[str]:
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    names = set()
    for meta in saved.meta_graphs:
        names |= {node.op for node in meta.graph_def.node}
        names |= {n.op for f in meta.graph_def.library.function for n in f.node_def}
    return names


def test_signature_gives_the_models_own_forecasts(model, exported, store):
    view = store.view("test")
    loaded = LoadedForecaster(exported)
    np.testing.assert_allclose(loaded.predict(view), direct(model, view), rtol=1e-5)
    np.testing.assert_array_equal(loaded.predict_batch(view.gather()), loaded.predict(view))
    assert loaded.predict(view).dtype == np.float32


@pytest.mark.parametrize("size", [1, 2, 7])
def test_forecasts_do_not_depend_on_the_batch_size(exported, store, size):
    view = store.view("test")
    loaded = LoadedForecaster(exported)
    np.testing.assert_allclose(loaded.predict(view, size), loaded.predict(view), rtol=1e-6)


def test_serialized_examples_give_the_same(exported, store):
    view = store.view("test")
    loaded = LoadedForecaster(exported)
    names = loaded.metadata["inputs"]
    feed = batch_feed(view.gather(), store.spec, store.roles, ("region",))
    rows = [serialized_example({names[c]: v[i] for c, v in feed.items()}) for i in range(len(view))]
    got = tf.saved_model.load(str(exported)).signatures["serve_examples"](
        examples=tf.constant(rows)
    )
    expected = loaded.predict(view)
    np.testing.assert_allclose(got["CO2_ppm"], expected[..., 0], rtol=1e-6)
    np.testing.assert_allclose(got["a_b"], expected[..., 1], rtol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_whoever_asks_an_export_for_gradients_gets_the_right_ones(cell, tmp_path, caplog):
    """Explanations ask by which input a forecast moves. TensorFlow's own gradient of BlockLSTMV2
    is wrong without an error.
    """
    roles = Roles(targets=("CO2 (ppm)",))
    spec = WindowSpec(lookback=6, horizon=2)
    model = build_forecaster(
        spec=spec,
        roles=roles,
        model=ModelConfig(cell=cell, units=(5,)),
        scaling=Scaling.of({"CO2 (ppm)": (350.0, 10.0)}),
        frequency="W-SAT",
        seed=3,
    )
    export_forecaster(model, tmp_path / "m", spec=spec, roles=roles, frequency="W-SAT", metadata={})
    loaded = tf.saved_model.load(str(tmp_path / "m"))
    forecast = loaded.signatures["serving_default"]
    assert "gradient" not in caplog.text
    values = tf.constant(np.random.default_rng(5).normal(350, 20, (3, 6)), tf.float32)

    def total(x):
        return tf.reduce_sum(forecast(**{"CO2_ppm": x})["CO2_ppm"] * [1.0, 2.0])

    def own(x):
        return tf.reduce_sum(model({"CO2 (ppm)": x})["CO2 (ppm)"] * [1.0, 2.0])

    def gradient_of(function):
        with tf.GradientTape() as tape:
            tape.watch(values)
            found = function(values)
        return tape.gradient(found, values).numpy()

    gradient = gradient_of(total)
    largest = np.abs(gradient).max()
    np.testing.assert_allclose(gradient, gradient_of(own), rtol=0, atol=1e-5 * largest)
    step = 0.5
    for row, column in [(0, 0), (1, 3), (2, 5)]:
        moved = np.zeros((3, 6), np.float32)
        moved[row, column] = step
        expected = (total(values + moved) - total(values - moved)) / (2 * step)
        assert gradient[row, column] == pytest.approx(float(expected), rel=2e-2, abs=2e-4)


def test_only_the_batch_is_open(exported):
    signature = tf.saved_model.load(str(exported)).signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    assert {k: (v.shape.as_list(), v.dtype.name) for k, v in specs.items()} == {
        "CO2_ppm": ([None, 8], "float32"),
        "a_b": ([None, 8], "float32"),
        "wind": ([None, 8], "float32"),
        "observed": ([None, 8], "float32"),
        "price": ([None, 12], "float32"),
        "area": ([None], "float32"),
        "region": ([None], "string"),
        "time": ([None], "int64"),
    }
    outputs = signature.structured_outputs
    assert {k: v.shape.as_list() for k, v in outputs.items()} == {
        "CO2_ppm": [None, 3],
        "a_b": [None, 3],
    }


def test_variables_are_the_weights_and_no_optimizer(model, exported):
    saved = tf.train.list_variables(str(exported / "variables" / "variables"))
    shapes = sorted(tuple(s) for n, s in saved if "OBJECT_GRAPH" not in n and n != "save_counter")
    assert shapes == sorted(tuple(w.shape) for w in model.weights)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_no_cudnn_even_where_keras_sees_a_gpu(monkeypatch, tmp_path, cell, bidirectional):
    import sys

    rnn = sys.modules["keras.src.backend.tensorflow.rnn"]

    spec, roles = WindowSpec(lookback=4, horizon=2), Roles(targets=("x",))
    built = build_forecaster(
        spec=spec,
        roles=roles,
        model=ModelConfig(cell=cell, units=(2,), bidirectional=bidirectional),
        scaling=Scaling.of({"x": (0.0, 1.0)}),
        frequency="D",
        seed=1,
    )
    monkeypatch.setattr(rnn, "_is_gpu_available", lambda: True)
    monkeypatch.setattr("models.cells.layers.gpu_listed", lambda: True)
    arguments = {"spec": spec, "roles": roles, "frequency": "D", "metadata": {}}
    export_forecaster(built, tmp_path / "ours", **arguments)
    assert not {op for op in operations(tmp_path / "ours") if "cudnn" in op.lower()}
    # The simulation has teeth: without the copy's use_cudnn=False the ops are there.
    traced = tf.function(lambda x: built({"x": x})).get_concrete_function(
        tf.TensorSpec((None, 4), tf.float32)
    )
    definition = traced.graph.as_graph_def()
    found = {n.op for n in definition.node}
    found |= {n.op for f in definition.library.function for n in f.node_def}
    assert any("cudnn" in op.lower() for op in found)
    assert all(getattr(la, "use_cudnn", "auto") == "auto" for la in all_layers(built))


def test_a_mixed_precision_model_is_exported_in_float32():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        built = build_forecaster(
            spec=WindowSpec(lookback=4, horizon=2),
            roles=Roles(targets=("x",)),
            model=ModelConfig(units=(8,)),
            scaling=Scaling.of({"x": (0.0, 1.0)}),
            frequency="D",
            seed=1,
        )
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    raw = {"x": tf.constant([[1.0, 2.0, 3.0, 4.0]])}
    coarse, exact = built(raw)["x"], portable_copy(built)(raw)["x"]
    assert coarse.dtype == exact.dtype == tf.float32
    assert 0 < float(tf.reduce_max(tf.abs(coarse - exact))) < 0.1
    assert any(layer.compute_dtype == "bfloat16" for layer in all_layers(built))


def test_metadata_says_what_loading_needs_and_what_was_given(exported):
    metadata = read_metadata(exported)
    assert metadata["config_digest"] == "abc"
    assert metadata["units"] == {"a/b": "kg"}
    assert metadata["format"] == 1
    assert metadata["frequency"] == "W-SAT"
    assert metadata["inputs"]["#price"] == "price"
    assert metadata["outputs"] == {"CO2 (ppm)": "CO2_ppm", "a/b": "a_b"}
    assert WindowSpec.model_validate(metadata["spec"]).gap == 1
    assert Roles.model_validate(metadata["roles"]).covariates.future == ("#price",)


def test_metadata_may_not_overwrite_ours(model, store, tmp_path):
    with pytest.raises(BadInputError, match="spec"):
        export_forecaster(
            model,
            tmp_path / "m",
            spec=store.spec,
            roles=store.roles,
            frequency="W-SAT",
            metadata={"spec": 1},
        )
    assert list(tmp_path.iterdir()) == []


def test_warm_up_requests_are_requests_the_model_answers(exported):
    from tensorflow_serving.apis import prediction_log_pb2

    signatures = tf.saved_model.load(str(exported)).signatures
    file = exported / "assets.extra" / "tf_serving_warmup_requests"
    seen = []
    for record in tf.data.TFRecordDataset(str(file)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        name = request.model_spec.signature_name
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        outputs = signatures[name](**inputs)
        if name != "describe":
            assert outputs["a_b"].shape == (1, 3)
            assert np.isfinite(outputs["a_b"]).all()
        seen.append(name)
    assert seen == ["serving_default", "serve_examples", "describe"]


def test_digest_is_of_the_model_not_of_its_run(exported, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(exported, copy)
    assert model_digest(copy) == model_digest(exported)
    (copy / "assets.extra" / "elman.json").write_text(json.dumps({"run": 2}))
    assert model_digest(copy) == model_digest(exported)
    data = copy / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1] + b"\1")
    assert model_digest(copy) != model_digest(exported)


def test_the_file_of_another_engine_makes_another_model(exported, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(exported, copy)
    for name in ("model.onnx", "step.tflite"):
        before = model_digest(copy)
        (copy / name).write_bytes(b"file")
        assert model_digest(copy) != before


def test_nothing_is_left_where_export_fails(model, store, tmp_path, monkeypatch):
    def fails(*_args):
        raise RuntimeError("disk full")

    monkeypatch.setattr("models.export.saved_model.write_warmup", fails)
    with pytest.raises(RuntimeError, match="disk full"):
        export_forecaster(
            model,
            tmp_path / "m",
            spec=store.spec,
            roles=store.roles,
            frequency="W-SAT",
            metadata={},
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, "{", '{"format": 99}', "[]"])
def test_a_folder_without_our_metadata_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "assets.extra").mkdir()
        (tmp_path / "assets.extra" / "elman.json").write_text(content)
    with pytest.raises(BadInputError, match=r"elman\.json"):
        LoadedForecaster(tmp_path)
