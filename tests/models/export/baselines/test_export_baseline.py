"""A baseline served from its window forecasts what `Baseline.predict` forecasts from its store."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from components.serving_check.check import check_serving
from models.baselines.ar import Ar
from models.baselines.ffnn import Ffnn
from models.baselines.naive import Naive
from models.baselines.seasonal_naive import SeasonalNaive
from models.baselines.train_rows import series_moments
from models.export.baselines.core import Refusal
from models.export.baselines.cores import core_of
from models.export.baselines.export import SERVING, VERIFICATION, export_baseline
from models.export.loaded import LoadedForecaster
from models.export.metadata import carries_state
from models.roles import Covariates, Roles
from models.windows.spec import WindowSpec
from tests.stores import make_store

SPEC = WindowSpec(lookback=9, horizon=4, gap=1)
ROLES = Roles(
    targets=("CO2 (ppm)", "b"),
    covariates=Covariates(
        past=("observed", "wind"),
        future=("price",),
        static=("region", "area"),
        calendar=("hour_of_day",),
    ),
)
MODELS = {
    "naive": Naive,
    "seasonal_naive": lambda: SeasonalNaive(5),
    "ar": Ar,
    "ffnn": lambda: Ffnn(units=(5, 3), epochs=2),
}


def waves(seed: int, level: float = 0.0) -> np.ndarray:
    """Two targets, wind and price; some steps were filled."""
    rng = np.random.default_rng(seed)
    t = np.arange(140)[:, None]
    return level + np.sin(t / 3 + np.arange(4)) + rng.normal(size=(140, 4)) / 3


def store_of(levels, static):
    """Series a, b, ... of these levels; the holes, linearly filled, are open at some origins."""
    segments = [(chr(97 + i), 0, waves(i, level)) for i, level in enumerate(levels)]
    rng = np.random.default_rng(9)
    hidden = {i: rng.random((140, 4)) < 0.2 for i in range(len(levels))}
    return make_store(segments, SPEC, (80, 100, 140), roles=ROLES, hidden=hidden, static=static)


@pytest.fixture(scope="module")
def one():
    return store_of([400.0], {"region": ("north",), "area": (1.5,)})


@pytest.fixture(scope="module")
def several():
    static = {"region": ("north", "south", "north"), "area": (1.0, 1.0, 2.5)}
    return store_of([400.0, -3.0, 20.0], static)


def fitted(name, store):
    baseline = MODELS[name]()
    baseline.fit(store.view("train"), store.view("validation"))
    return baseline


@pytest.fixture(scope="module")
def exported(several, tmp_path_factory):
    """By name, each baseline of several series with its folder."""
    base = tmp_path_factory.mktemp("models")
    made = {}
    for name in MODELS:
        baseline = fitted(name, several)
        metadata = {"run_id": "r", "source_digest": "s"}
        assert export_baseline(baseline, several, base / name, metadata) is None
        made[name] = (baseline, base / name)
    return made


@pytest.mark.parametrize("name", MODELS)
def test_it_forecasts_every_test_window_as_the_baseline_does(exported, several, name):
    baseline, folder = exported[name]
    view = several.view("test")
    loaded = LoadedForecaster(folder / SERVING)
    expected = baseline.predict(view)
    assert len(np.unique(expected)) > 10
    got = loaded.predict(view)
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=2e-6 * np.abs(expected).max())
    np.testing.assert_array_equal(got, loaded.predict(view, batch_size=1))


@pytest.mark.parametrize("name", MODELS)
def test_its_verification_holds_the_forecasts_of_the_baseline_itself(exported, several, name):
    baseline, folder = exported[name]
    view = several.view("validation")
    with np.load(folder / VERIFICATION) as arrays:
        assert len(arrays["output.b"]) == 32
        first, last = baseline.predict(view)[[0, -1]]
        for k, tensor in enumerate(("CO2_ppm", "b")):
            np.testing.assert_array_equal(arrays[f"output.{tensor}"][0], first[:, k])
            np.testing.assert_array_equal(arrays[f"output.{tensor}"][-1], last[:, k])


@pytest.mark.parametrize("name", MODELS)
def test_it_says_of_itself_what_the_network_says(exported, several, name):
    _, folder = exported[name]
    loaded = LoadedForecaster(folder / SERVING)
    about = loaded.metadata
    assert about["baseline"] == name
    assert set(about["inputs"]) == {*ROLES.dynamic, "observed", "region", "area", "time"}
    assert about["text"] == ["region"]
    assert about["streaming"] is None
    assert f"the baseline {name} reads whole windows" in about["streaming_refusal"]
    assert not carries_state(about)
    assert about["train_range"] == ["1970-01-01T00:00:00Z", "1970-01-04T07:00:00Z"]
    assert loaded.comparable(several) is None
    assert (folder / SERVING / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 100


def test_it_answers_in_a_fresh_process_without_our_code(exported):
    _, folder = exported["ar"]
    report = check_serving(folder / SERVING, folder / VERIFICATION)
    assert report.passed, report.failures
    assert any("serve_examples" in check["name"] for check in report.checks)


def test_the_description_is_a_signature_too(exported):
    import tensorflow as tf

    _, folder = exported["naive"]
    signatures = tf.saved_model.load(str(folder / SERVING)).signatures
    assert set(signatures) == {"serving_default", "serve_examples", "describe"}
    text = signatures["describe"](rows=tf.constant([0]))["metadata"].numpy()[0]
    assert json.loads(text)["baseline"] == "naive"
    assert "run_id" not in json.loads(text)


def run(core, store, view):
    from models.export.feed import view_feed

    text = [n for n in store.static if isinstance(store.static[n][0], str)]
    feed = view_feed(view, store.spec, store.roles, text)
    answer = core(feed)
    return np.stack([answer[name].numpy() for name in store.roles.targets], axis=-1)


class Affine:
    """Any affine map of the scaled past of both targets."""

    name = "affine"

    def __init__(self, store):
        rng = np.random.default_rng(2)
        self.weights = rng.normal(size=(SPEC.lookback * 2, SPEC.horizon * 2))
        self.constant = rng.normal(size=SPEC.horizon * 2)
        self.moments = series_moments(store)
        self.scaled = self

    def predict(self, view):
        mean, std = (m[view.store.series_of(view.origins)][:, None, :2] for m in self.moments)
        scaled = (view.targets() - mean) / std
        ahead = scaled.reshape(len(view), -1) @ self.weights + self.constant
        return ahead.reshape(len(view), SPEC.horizon, 2) * std + mean


def test_any_affine_map_of_the_scaled_window_is_servable(several):
    baseline, view = Affine(several), several.view("test")
    core = core_of(baseline, several)
    assert not isinstance(core, Refusal)
    np.testing.assert_allclose(run(core, several, view), baseline.predict(view), rtol=1e-5)
    baseline.weights[3, 2] = np.inf
    assert isinstance(core_of(baseline, several), Refusal)


def test_ar_of_a_single_series_needs_no_name(one):
    plain = replace(one, roles=ROLES.model_copy(update={"covariates": Covariates()}), static={})
    plain = replace(plain, values=plain.values[:, :2], observed=plain.observed[:, :2])
    baseline = fitted("ar", plain)
    view = plain.view("test")
    core = core_of(baseline, plain)
    np.testing.assert_allclose(run(core, plain, view), baseline.predict(view), rtol=1e-6)


def test_ar_of_several_series_needs_to_be_told_which_one(several):
    nameless = replace(several, roles=Roles(targets=ROLES.targets), static={})
    nameless = replace(nameless, values=several.values[:, :2], observed=several.observed[:, :2])
    refused = core_of(fitted("ar", nameless), nameless)
    assert isinstance(refused, Refusal)
    assert "a request does not say which series it is of" in refused.reason
    alike = replace(several, static={"region": ("north",) * 3, "area": (1.0, 2.0, 1.0)})
    refused = core_of(fitted("ar", alike), alike)
    assert isinstance(refused, Refusal)
    assert "are equal for some series" in refused.reason


def test_a_series_that_ar_does_not_know_is_scaled_by_its_window(several):
    baseline = fitted("ar", several)
    core = core_of(baseline, several)
    assert not isinstance(core, Refusal)
    stranger = replace(several, static={"region": ("east",) * 3, "area": (7.0,) * 3})
    view = stranger.view("test")
    untrained = fitted("ar", several)
    untrained._mean = np.full_like(untrained._mean, np.nan)
    np.testing.assert_allclose(
        run(core, stranger, view), untrained.predict(view), rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("season", [1, 3, 9, 10, 11, 24])
def test_seasonal_naive_is_servable_as_far_as_its_window_reaches(one, season):
    baseline = SeasonalNaive(season)
    core = core_of(baseline, one)
    reads = -baseline.steps_back(SPEC).min() + 1
    if reads > SPEC.lookback:
        assert isinstance(core, Refusal)
        assert f"reads {reads} steps of history" in core.reason
        assert f"a lookback of at least {reads}" in core.reason
        enough = replace(one, spec=SPEC.model_copy(update={"lookback": int(reads)}))
        assert not isinstance(core_of(baseline, enough), Refusal)
    else:
        view = one.view("test")
        np.testing.assert_array_equal(run(core, one, view), baseline.predict(view))
    assert isinstance(core, Refusal) == (season in (11, 24))


def test_an_exploding_autoregression_is_refused(one):
    baseline = fitted("ar", one)
    name = ROLES.targets[0]
    wild = replace(baseline.fitted[name], coefficients=np.full(3, 1e200))
    baseline.fitted = {**baseline.fitted, name: wild}
    refused = core_of(baseline, one)
    assert isinstance(refused, Refusal)
    assert "grow beyond all numbers" in refused.reason


def test_what_is_refused_leaves_nothing(one, tmp_path):
    refusal = export_baseline(SeasonalNaive(30), one, tmp_path / "m", {})
    assert refusal is not None
    assert not (tmp_path / "m").exists()
