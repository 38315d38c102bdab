from __future__ import annotations

import numpy as np
import pytest

from models.baselines.ar import Ar
from models.baselines.config import BaselinesConfig
from models.baselines.lds import Lds
from models.baselines.registry import build
from models.baselines.seasonal_naive import SeasonalNaive
from models.errors import FailedRunError
from models.export.baselines.affine import affine_core
from models.lds.forecast import at_any_time
from models.lds.moments import moments
from models.lds.system import Lds as System
from models.windows.spec import WindowSpec
from tests.models.lds.systems import random_system, reference, simulated
from tests.stores import make_store

SPEC = WindowSpec(lookback=24, horizon=6, gap=1)


def seasonal(seed, rows, columns=1):
    """Two periods, one slowly fading state each, and noise."""
    random = np.random.default_rng(seed)
    t = np.arange(rows)
    waves = [
        3 * np.sin(2 * np.pi * t / 12 + k) + np.cos(2 * np.pi * t / 31) for k in range(columns)
    ]
    walk = np.zeros((rows, columns))
    for i in range(1, rows):
        walk[i] = 0.8 * walk[i - 1] + 0.3 * random.normal(size=columns)
    return np.stack(waves, axis=1) + walk + 0.1 * random.normal(size=(rows, columns))


def fitted(store, **settings):
    baseline = Lds(**settings)
    baseline.fit(store.view("train"), store.view("validation"))
    return baseline


def test_forecasts_of_a_simulated_system_are_nearly_those_of_the_true_one():
    # A damped rotation of period 10 and a slow state: no deterministic season.
    angle = 2 * np.pi / 10
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    truth = System(
        transition=np.block([[turn, np.zeros((2, 1))], [np.zeros((1, 2)), np.array([[0.9]])]]),
        observation=np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -0.5]]),
        offset=np.array([5.0, -3.0]),
        state_noise=0.3 * np.eye(3),
        observation_noise=0.5 * np.eye(2),
        mean=np.zeros(3),
        covariance=np.eye(3),
    )
    values = simulated(truth, 2600, 1)
    store = make_store([("", 0, values)], WindowSpec(lookback=40, horizon=8), (2000, 2100, 2600))
    view = store.view("test")
    true = np.empty(view.labels().shape)
    for row, window in enumerate(view.targets()):
        ahead = reference(truth, window.astype(float)).ssm.filter().predict(40, 48)
        true[row] = ahead.forecasts.T[-8:]
    best = np.square(true - view.labels()).mean()
    error = np.square(fitted(store, states=3).predict(view) - view.labels()).mean()
    assert error < 1.05 * best
    assert error < 0.9 * np.square(view.labels() - values[:2000].mean(axis=0)).mean()


def test_seasons_are_found_without_being_named():
    store = make_store([("", 0, seasonal(1, 900))], SPEC, (600, 700, 900))
    view = store.view("test")
    found = fitted(store)
    error = np.abs(found.predict(view) - view.labels()).mean()
    for other in (SeasonalNaive(12), SeasonalNaive(31)):
        assert error < 0.6 * np.abs(other.predict(view) - view.labels()).mean()
    ar = Ar()
    ar.fit(store.view("train"), None)
    assert error < 1.05 * np.abs(ar.predict(view) - view.labels()).mean()
    facts = found.describe()
    assert facts["oscillators"] >= 4
    assert facts["states"] == found.choice.model.states
    assert facts["log_likelihood_per_row"][1] > facts["log_likelihood_per_row"][0]
    assert facts["rows"] == 600
    assert min(facts["bic"], key=facts["bic"].get) == str(facts["states"])


@pytest.mark.parametrize("columns", [1, 3])
def test_the_map_in_natural_units_is_what_is_forecast(columns):
    values = 1000 + 50 * seasonal(2, 500, columns)
    store = make_store([("", 0, values)], SPEC, (300, 350, 500))
    baseline = fitted(store, iterations=2)
    affine, view = baseline.affine(), store.view("test")
    flat = view.targets().reshape(len(view), -1).astype(float)
    found = (flat @ affine.weights + affine.constant).reshape(len(view), 6, columns)
    predictions = baseline.predict(view)
    np.testing.assert_allclose(predictions, found, rtol=1e-5)
    # And that is a filter over the window, run on.
    choice = baseline.choice
    model = at_any_time(choice.model, moments(choice.model, choice.pieces))
    mean, std = (m[0] for m in baseline.moments)
    for row in (0, 60):
        window = (view.targets()[row].astype(float) - mean) / std
        ahead = reference(model, window).ssm.filter().predict(24, 24 + 7).forecasts.T[-6:]
        np.testing.assert_allclose(found[row], ahead * std + mean, rtol=1e-6)
    # The exported core says the same.
    batch = view.gather()
    core = affine_core(baseline, store)({n: batch.past[n] for n in store.roles.targets})
    for k, name in enumerate(store.roles.targets):
        np.testing.assert_allclose(core[name], predictions[:, :, k], rtol=1e-5)


def test_nothing_after_the_validation_boundary_is_looked_at():
    x = seasonal(3, 400)
    first = fitted(make_store([("", 0, x)], SPEC, (250, 300, 400)), iterations=2)
    x[250:] = 1e6
    second = fitted(make_store([("", 0, x)], SPEC, (250, 300, 400)), iterations=2)
    np.testing.assert_array_equal(first.scaled.weights, second.scaled.weights)


def test_filled_values_say_nothing_in_the_fit_of_a_system():
    x = seasonal(4, 600)
    hidden = np.zeros((600, 1), bool)
    hidden[50:500:7] = True
    clean, spoilt = x.copy(), x.copy()
    spoilt[hidden[:, 0]] += 0.5
    likelihoods = []
    for values in (clean, spoilt):
        store = make_store([("", 0, values)], SPEC, (500, 530, 600), hidden={0: hidden})
        found = fitted(store, iterations=1)
        choice = found.choice
        kept = list(choice.pieces)
        likelihoods.append(moments(choice.model, kept).log_likelihood)
        loud = [type(p)(np.where(p.seen, p.values, 1e9), p.seen, p.first) for p in kept]
        assert moments(choice.model, loud).log_likelihood == pytest.approx(likelihoods[-1])
    assert np.isfinite(likelihoods).all()


def test_several_series_are_pooled_and_late_ones_scaled_by_their_windows():
    blocks = [("a", 0, seasonal(5, 400)), ("b", 0, 1e5 + 1e3 * seasonal(6, 400))]
    late = ("late", 330, 70 + seasonal(7, 70))
    store = make_store([*blocks, late], SPEC, (300, 330, 400))
    baseline = fitted(store, iterations=2)
    assert baseline.describe()["pooled_series"] == 3
    view = store.view("test")
    series = store.series_of(view.origins)
    labels, predictions = view.labels(), baseline.predict(view)
    for index, scale in enumerate((1, 1e3, 1)):
        own = series == index
        assert own.any()
        assert np.abs(predictions[own] - labels[own]).mean() < 2 * scale
    with pytest.raises(FailedRunError, match="3 series"):
        baseline.affine()


@pytest.mark.parametrize(
    "values",
    [
        np.full(60, 0.1),
        np.arange(60.0),
        np.tile([0.0, 1.0], 30),
        2.0 ** np.arange(60),
        np.r_[np.zeros(39), 1, np.zeros(20)],
    ],
    ids=["constant", "line", "alternating", "explosive", "spike"],
)
@pytest.mark.parametrize("rows", [1, 2, 5, 30])
def test_forecasts_are_always_finite(values, rows):
    store = make_store([("", 0, values)], WindowSpec(lookback=3, horizon=4), (rows, 31, 60))
    predictions = fitted(store, iterations=3).predict(store.view("test"))
    assert len(predictions)
    assert np.isfinite(predictions).all()
    if values[0] == 0.1:
        np.testing.assert_allclose(predictions, 0.1, rtol=1e-3)


@pytest.mark.parametrize("states", [1, 2, 5, 12])
def test_the_number_of_states_may_be_given(states):
    store = make_store([("", 0, seasonal(8, 300))], SPEC, (200, 240, 300))
    config = BaselinesConfig(names=("lds",), lds_states=states, lds_iterations=1)
    baseline = build("lds", config, 12)
    baseline.fit(store.view("train"), None)
    assert baseline.describe()["states"] == states


def test_want_of_a_fit_is_said():
    with pytest.raises(FailedRunError, match="not been fitted"):
        Lds().affine()
    assert Lds().describe() == {}
    late = make_store([("", 40, np.arange(60.0))], SPEC, (30, 31, 100))
    with pytest.raises(FailedRunError, match="no train row"):
        Lds().fit(late.view("train"), None)


def test_a_random_system_is_pooled_over_segments():
    model = random_system(1, 2, 2)
    parts = [("", 100 * i, simulated(model, 80, i)) for i in range(5)]
    store = make_store(parts, SPEC, (380, 420, 500))
    baseline = fitted(store, iterations=3)
    assert baseline.describe()["rows"] == 320
    assert np.isfinite(baseline.predict(store.view("test"))).all()
