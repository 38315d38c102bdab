from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInputError
from models.export.metadata import read_metadata
from models.export.saved_model import export_forecaster
from models.features.calendar import step_times
from models.features.scaling import Scaling
from models.features.step import Step
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.network.streaming import streaming_refusal
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec

TARGETS = ("CO2 (ppm)", "a/b")
EVERY_ROLE = Roles(
    targets=TARGETS,
    covariates=Covariates(
        past=("wind", "observed"),
        future=("#price",),
        static=("area", "region"),
        calendar=("month_of_year", "day_of_month"),
    ),
)
WORDS = {"region": ("north", "south")}


def trained(spec, roles, model, seed=3):
    """A network whose every weight is away from its initial value, biases and shortcut included."""
    built = build_forecaster(
        spec=spec,
        roles=roles,
        model=model,
        scaling=Scaling.of(dict.fromkeys((*roles.dynamic, "area"), (350.0, 10.0))),
        frequency="ME",
        vocabularies={k: WORDS[k] for k in roles.covariates.static if k in WORDS},
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    built.set_weights(
        [w + rng.normal(scale=0.1, size=w.shape).astype(w.dtype) for w in built.get_weights()]
    )
    return built


def exported(built, folder, spec, roles):
    export_forecaster(built, folder, spec=spec, roles=roles, frequency="ME", metadata={})
    return tf.saved_model.load(str(folder)), read_metadata(folder)


def series(roles, steps, reach, rows, seed=0):
    """Raw values by column: [rows, steps], future [rows, steps + reach], month ends in `time`."""
    rng = np.random.default_rng(seed)
    c = roles.covariates
    long = {
        name: (350 + rng.normal(scale=10, size=(rows, steps + reach))).astype(np.float32)
        for name in roles.dynamic
    }
    values = {n: v if n in c.future else v[:, :steps] for n, v in long.items()}
    if "observed" in c.past:
        values["observed"] = (rng.random((rows, steps)) > 0.2).astype(np.float32)
    if "area" in c.static:
        values["area"] = rng.normal(350, 10, rows).astype(np.float32)
        values["region"] = np.array(["north", "elsewhere", "south", "north"][:rows], object)
    if c.calendar:
        first = np.full(rows, 949_276_800, np.int64)  # 2000-01-31
        offsets = tf.range(steps, dtype=tf.int64)
        values["time"] = step_times(tf.constant(first), offsets, Step.parse("ME")).numpy()
    return values


def stream(loaded, metadata, values, steps, reach):
    """Outputs after each step, [steps] of {tensor: [rows, horizon]}, and the last state."""
    rows = len(values[metadata["roles"]["targets"][0]])
    state = loaded.signatures["stream_init"](batch=tf.constant(rows))
    answers = []
    future, static = (metadata["roles"]["covariates"][k] for k in ("future", "static"))
    for t in range(steps):
        step = {}
        for column, name in metadata["inputs"].items():
            v = values[column]
            if column in future:
                v = v[:, t : t + 1 + reach]
            elif column not in static:
                v = v[:, t]
            step[name] = tf.constant(v)
        out = loaded.signatures["stream_step"](**step, **state)
        state = {k: out[k] for k in metadata["streaming"]["state"]}
        answers.append({k: v.numpy() for k, v in out.items() if k not in state})
    return answers, state


def window(loaded, metadata, values, steps):
    """The forecast of serving_default for the whole of `values` as one window of `steps`."""
    feed = {
        name: tf.constant(values[column][:, -1] if column == "time" else values[column])
        for column, name in metadata["inputs"].items()
    }
    return {k: v.numpy() for k, v in loaded.signatures["serving_default"](**feed).items()}


CELLS = [
    ("simple_rnn", (5,)),
    ("lstm", (5,)),
    ("gru", (5,)),
    ("second_order", (5, 3)),
    ("lstm", (6, 4)),
    ("gru", (3, 4, 2)),
]


@pytest.mark.parametrize("normalize", ["standard", "none"])
@pytest.mark.parametrize(("cell", "units"), CELLS)
def test_the_steps_of_a_series_give_what_the_whole_series_gives(tmp_path, cell, units, normalize):
    """After every step t, the output is that of a network of lookback t with the same weights."""
    steps, horizon = 12, 3
    roles = Roles(targets=("x",))
    config = ModelConfig(cell=cell, units=units, normalize=normalize)
    spec = WindowSpec(lookback=7, horizon=horizon)
    built = trained(spec, roles, config)
    loaded, metadata = exported(built, tmp_path / "m", spec, roles)
    values = series(roles, steps, 0, rows=4)
    if normalize == "none":
        values["x"] = (values["x"] - 350) / 10
    answers, _ = stream(loaded, metadata, values, steps, 0)
    for t in (0, 1, 6, 7, 11):
        whole = trained(spec.model_copy(update={"lookback": t + 1}), roles, config)
        whole.set_weights(built.get_weights())
        expected = whole({"x": tf.constant(values["x"][:, : t + 1])}, training=False)["x"].numpy()
        scale = np.abs(expected).max()
        np.testing.assert_allclose(answers[t]["x"] / scale, expected / scale, atol=1e-5)


@pytest.mark.parametrize("channels", ["mixed", "shared"])
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("gap", [0, 2])
def test_after_a_lookback_of_steps_it_is_the_forecast_of_the_window(
    tmp_path, channels, shortcut, gap
):
    spec = WindowSpec(lookback=6, horizon=3, gap=gap)
    config = ModelConfig(cell="lstm", units=(5, 4), channels=channels, shortcut=shortcut)
    loaded, metadata = exported(trained(spec, EVERY_ROLE, config), tmp_path / "m", spec, EVERY_ROLE)
    values = series(EVERY_ROLE, spec.lookback, spec.reach, rows=3)
    answers, _ = stream(loaded, metadata, values, spec.lookback, spec.reach)
    expected = window(loaded, metadata, values, spec.lookback)
    assert set(answers[-1]) == set(expected) == {"CO2_ppm", "a_b"}
    for name, want in expected.items():
        np.testing.assert_allclose(answers[-1][name], want, rtol=1e-5)
    assert np.abs(answers[-1]["a_b"] - answers[-2]["a_b"]).max() > 1e-3


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_rows_are_their_own(tmp_path_factory, lengths, order):
    """Streams of different lengths, advanced in any order and batch, do not touch each other."""
    loaded, metadata = shared_model(tmp_path_factory)
    roles = Roles(targets=("x",))
    data = [series(roles, n, 0, 1, seed=i)["x"][0] for i, n in enumerate(lengths)]
    alone = []
    for values in data:
        answers, _ = stream(loaded, metadata, {"x": values[None]}, len(values), 0)
        alone.append([a["x"][0] for a in answers])
    init = loaded.signatures["stream_init"](batch=tf.zeros(len(data), tf.int32))
    states = [{k: v[i] for k, v in init.items()} for i in range(len(data))]
    position = [0] * len(data)
    while open_ := [i for i in range(len(data)) if position[i] < lengths[i]]:
        chosen = order.sample(open_, order.randint(1, len(open_)))
        state = {k: tf.stack([states[i][k] for i in chosen]) for k in init}
        x = tf.constant([data[i][position[i]] for i in chosen])
        out = loaded.signatures["stream_step"](x=x, **state)
        for row, i in enumerate(chosen):
            np.testing.assert_allclose(out["x"][row], alone[i][position[i]], rtol=1e-5)
            states[i] = {k: out[k][row] for k in init}
            position[i] += 1


_MODELS: dict[str, object] = {}


def shared_model(factory):
    if "m" not in _MODELS:
        spec, roles = WindowSpec(lookback=4, horizon=2), Roles(targets=("x",))
        built = trained(spec, roles, ModelConfig(cell="gru", units=(4,)))
        _MODELS["m"] = exported(built, factory.mktemp("m") / "m", spec, roles)
    return _MODELS["m"]


def test_state_starts_at_zero_for_a_number_of_rows_or_for_each_row(tmp_path_factory):
    loaded, metadata = shared_model(tmp_path_factory)
    init = loaded.signatures["stream_init"]
    for batch, rows in ((tf.constant(3), 3), (tf.constant([9, 9]), 2), (tf.constant(0), 0)):
        state = init(batch=batch)
        assert {k: tuple(v.shape) for k, v in state.items()} == {"state_0_h": (rows, 4)}
        assert not np.any(state["state_0_h"])
    assert metadata["streaming"] == {"inputs": {"x": []}, "state": {"state_0_h": [4]}}


def test_warm_up_covers_every_signature(tmp_path):
    from tensorflow_serving.apis import prediction_log_pb2

    spec = WindowSpec(lookback=4, horizon=2)
    built = trained(spec, EVERY_ROLE, ModelConfig(units=(3,), shortcut=True))
    loaded, _ = exported(built, tmp_path / "m", spec, EVERY_ROLE)
    seen = set()
    for record in tf.data.TFRecordDataset(
        str(tmp_path / "m" / "assets.extra" / "tf_serving_warmup_requests")
    ):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        outputs = loaded.signatures[request.model_spec.signature_name](**inputs)
        assert {v.shape[0] for v in outputs.values()} == {1}
        seen.add(request.model_spec.signature_name)
    assert seen == set(loaded.signatures)


@pytest.mark.parametrize("batch", [-1, 65_537, 2_147_483_647])
def test_a_request_cannot_ask_for_all_memory(tmp_path_factory, batch):
    loaded, _ = shared_model(tmp_path_factory)
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 65536"):
        loaded.signatures["stream_init"](batch=tf.constant(batch))


def test_the_model_describes_itself_through_a_signature(tmp_path_factory):
    loaded, metadata = shared_model(tmp_path_factory)
    describe = loaded.signatures["describe"]
    text = describe(rows=tf.constant(0))["metadata"]
    assert text.shape == ()
    assert json.loads(text.numpy()) == metadata
    many = describe(rows=tf.constant([5, 5]))["metadata"]
    assert [json.loads(t) for t in many.numpy()] == [metadata, metadata]
    with pytest.raises(tf.errors.InvalidArgumentError, match="rows must be from 0 to 1024"):
        describe(rows=tf.zeros(1025, tf.int32))


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"bidirectional": True}, "model.bidirectional"),
        ({"normalize": "window"}, "model.normalize"),
    ],
)
def test_a_network_that_needs_the_whole_window_has_no_stream(tmp_path, config, key):
    spec, roles = WindowSpec(lookback=4, horizon=2), Roles(targets=("x",))
    model = ModelConfig(units=(3,), **config)
    loaded, metadata = exported(trained(spec, roles, model), tmp_path / "m", spec, roles)
    assert set(loaded.signatures) == {"serving_default", "serve_examples", "describe"}
    assert metadata["streaming"] is None
    assert metadata["streaming_refusal"] == streaming_refusal(model)
    assert key in metadata["streaming_refusal"]


def test_a_column_named_like_a_state_tensor_takes_the_name(tmp_path):
    spec, roles = WindowSpec(lookback=4, horizon=2), Roles(targets=("state 0 h",))
    built = trained(spec, roles, ModelConfig(units=(3,), cell="gru"))
    loaded, metadata = exported(built, tmp_path / "m", spec, roles)
    assert "stream_step" not in loaded.signatures
    assert "state_0_h" in metadata["streaming_refusal"]
    assert "state_0_h" in loaded.signatures["serving_default"].structured_outputs


def test_describe_may_not_be_overwritten(tmp_path):
    spec, roles = WindowSpec(lookback=4, horizon=2), Roles(targets=("x",))
    built = trained(spec, roles, ModelConfig(units=(3,)))
    with pytest.raises(BadInputError, match="streaming"):
        export_forecaster(
            built,
            tmp_path / "m",
            spec=spec,
            roles=roles,
            frequency="ME",
            metadata={"streaming": None},
        )
