from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec

SPEC = WindowSpec(lookback=6, horizon=3, gap=1)
PLAIN = Roles(targets=("x", "y"))
FULL = Roles(
    targets=("#x", "a/b", "elman_head"),
    covariates=Covariates(
        past=("p", "observed"),
        future=("f",),
        static=("s", "word"),
        calendar=("week_of_year", "hour_of_day"),
    ),
)
WORDS = {"word": ("one", "two")}


def build(roles=PLAIN, scaling=None, **config):
    seed = config.pop("seed", 1)
    names = [*roles.dynamic, "s"]
    return build_forecaster(
        spec=SPEC,
        roles=roles,
        model=ModelConfig(**{"units": (3,), **config}),
        scaling=scaling or Scaling.of(dict.fromkeys(names, (5.0, 2.0))),
        frequency="h",
        vocabularies=WORDS if "word" in roles.covariates.static else {},
        seed=seed,
    )


def feed(roles=PLAIN, n=4, seed=0):
    rng = np.random.default_rng(seed)
    raw = {c: rng.normal(5, 2, (n, 6)) for c in (*roles.targets, *roles.covariates.past)}
    raw |= {c: rng.normal(5, 2, (n, 10)) for c in roles.covariates.future}
    tensors = {k: tf.constant(v, tf.float32) for k, v in raw.items()}
    if roles.covariates.static:
        tensors["s"] = tf.constant(rng.normal(5, 2, n), tf.float32)
        tensors["word"] = tf.constant((["one", "two", "new"] * n)[:n])
        tensors["time"] = tf.constant(3600 * np.arange(n) + 10**9, tf.int64)
    return tensors


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


@pytest.mark.parametrize("normalize", ["standard", "window", "none"])
def test_an_lstm_forecast_is_that_of_the_equations_in_numpy(normalize):
    model = build(normalize=normalize, units=(4, 3))
    raw = feed()
    got = model(raw)
    x = np.stack([raw["x"], raw["y"]], axis=-1).astype(np.float64)
    anchor, spread = {
        "standard": (np.full((1, 1, 2), 5.0), np.full((1, 1, 2), 2.0)),
        "window": (x[:, -1:], x.std(axis=1, keepdims=True)),
        "none": (np.zeros((1, 1, 2)), np.ones((1, 1, 2))),
    }[normalize]
    sequence = (x - anchor) / spread
    for index in (0, 1):
        kernel, recurrent, bias = model.get_layer(f"elman_recurrent_{index}").get_weights()
        h = c = np.zeros((4, recurrent.shape[0]))
        states = []
        for t in range(6):
            z = sequence[:, t] @ kernel + h @ recurrent + bias
            i, f, g, o = np.split(z, 4, axis=-1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        sequence = np.stack(states, axis=1)
    weights, bias = model.get_layer("elman_head").get_weights()
    expected = anchor + spread * (h @ weights + bias).reshape(4, 3, 2)
    np.testing.assert_allclose(got["x"], expected[..., 0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got["y"], expected[..., 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("channels", ["mixed", "shared"])
@pytest.mark.parametrize(("shift", "factor"), [(0, 8.0), (1000.0, 1.0), (-70.0, 0.25)])
def test_window_normalisation_is_equivariant_under_affine_change(channels, shift, factor):
    model = build(normalize="window", channels=channels)
    raw = feed()
    plain, moved = model(raw), model({k: v * factor + shift for k, v in raw.items()})
    for target in raw:
        expected = np.asarray(plain[target], np.float64) * factor + shift
        np.testing.assert_allclose(moved[target], expected, rtol=1e-4, atol=1e-3 * factor)


def test_standard_scaling_carries_over_with_its_constants():
    raw = feed()
    one = build(scaling=Scaling.of({"x": (5.0, 2.0), "y": (5.0, 2.0)}))(raw)
    other = build(scaling=Scaling.of({"x": (500.0, 200.0), "y": (5.0, 2.0)}))(
        {**raw, "x": raw["x"] * 100}
    )
    np.testing.assert_allclose(other["x"], one["x"] * 100, rtol=1e-5)
    np.testing.assert_allclose(other["y"], one["y"], rtol=1e-5)


def test_shared_channels_treat_every_target_alike():
    model = build(roles=FULL, channels="shared", normalize="window")
    raw = feed(FULL)
    swapped = {**raw, "#x": raw["a/b"], "a/b": raw["#x"]}
    plain, other = model(raw), model(swapped)
    np.testing.assert_allclose(other["a/b"], plain["#x"], rtol=1e-6)
    np.testing.assert_allclose(other["#x"], plain["a/b"], rtol=1e-6)
    np.testing.assert_allclose(other["elman_head"], plain["elman_head"], rtol=1e-6)
    mixed = build(roles=FULL)
    assert not np.allclose(mixed(swapped)["a/b"], mixed(raw)["#x"])


@pytest.mark.parametrize("channels", ["mixed", "shared"])
def test_every_input_has_a_say_and_only_the_labels_part_of_the_future_reaches_the_head(channels):
    model = build(roles=FULL, channels=channels)
    raw = feed(FULL)
    before = model(raw)["#x"].numpy()
    changes = {k: v + 1 for k, v in raw.items() if v.dtype == tf.float32}
    changes["time"] = raw["time"] + 3600 * 5
    changes["word"] = tf.constant(["two", "one", "one", "two"])
    for column, value in changes.items():
        if channels == "shared" and column in ("a/b", "elman_head"):
            continue
        after = model({**raw, column: value})["#x"].numpy()
        assert (after != before).any(axis=1).all(), column
    gap = raw["f"].numpy()
    gap[:, 6] += 100  # the step between the last input and the first label
    np.testing.assert_array_equal(model({**raw, "f": tf.constant(gap)})["#x"], before)
    last = raw["f"].numpy()
    last[:, 9] += 1  # the last label's own step
    after = model({**raw, "f": tf.constant(last)})["#x"].numpy()
    np.testing.assert_array_equal(after[:, :2], before[:, :2])
    assert (after[:, 2] != before[:, 2]).any()


def test_equal_seeds_equal_weights():
    one, two, other = build(seed=3), build(seed=3), build(seed=4)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(
        not np.array_equal(a, b)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )


@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_saved_and_reloaded_it_is_the_same_and_float32(tmp_path, precision):
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        model = build(roles=FULL, cell="gru", bidirectional=True, normalize="window", dropout=0.1)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    raw = feed(FULL)
    for target, forecast in model(raw).items():
        assert forecast.dtype == tf.float32
        assert forecast.shape == (4, 3)
        np.testing.assert_array_equal(again(raw)[target], forecast)


def test_large_levels_survive_mixed_precision():
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        model = build(normalize="window")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    raw = {k: v + 1e6 for k, v in feed().items()}  # beyond float16
    assert np.isfinite(model(raw)["x"]).all()
    np.testing.assert_allclose(model(raw)["x"], 1e6, rtol=1e-4)


def test_bad_columns_are_refused():
    with pytest.raises(BadInputError, match="'y' has no train statistics"):
        build(scaling=Scaling.of({"x": (0.0, 1.0)}))
    clash = Roles(targets=("time",), covariates=Covariates(calendar=("day_of_week",)))
    with pytest.raises(BadInputError, match="collides"):
        build(roles=clash)
    for words in ({"x": ("a",)}, {"word": ()}, {"word": ("a", "a")}):
        with pytest.raises(BadInputError, match="vocabulary"):
            build_forecaster(
                spec=SPEC,
                roles=FULL,
                model=ModelConfig(),
                scaling=Scaling.of({}),
                frequency="h",
                vocabularies=words,
                seed=1,
            )
