from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lds.covariances import Forward
from models.lds.forecast import window_forecast
from models.lds.kalman import kalman_filter
from models.lds.smoother import smooth
from models.lds.system import RADIUS, stationary_covariance, steady_covariance
from tests.models.lds.systems import random_system, reference, simulated


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 9999),
    states=st.integers(1, 4),
    columns=st.integers(1, 3),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
)
def test_likelihood_states_and_forecasts_are_those_of_statsmodels(seed, states, columns, missing):
    model = random_system(seed, states, columns)
    values = simulated(model, 60, seed)
    seen = np.random.default_rng(seed).random(values.shape) >= missing
    seen[20:23] = False
    found = kalman_filter(model, np.where(seen, values, np.nan), seen)
    other = reference(model, np.where(seen, values, np.nan)).ssm.smooth()
    assert found.log_likelihood == pytest.approx(other.llf, abs=1e-6)
    np.testing.assert_allclose(found.log_likelihoods, other.llf_obs, atol=1e-6)
    np.testing.assert_allclose(found.predicted, other.predicted_state.T[:-1], atol=1e-6)
    np.testing.assert_allclose(found.filtered, other.filtered_state.T, atol=1e-6)
    filtered = np.moveaxis(other.filtered_state_cov, -1, 0)
    np.testing.assert_allclose(found.filtered_covariances, filtered, atol=1e-6)
    smoothed = smooth(found)
    np.testing.assert_allclose(smoothed.means, other.smoothed_state.T, atol=1e-6)
    spread = np.moveaxis(other.smoothed_state_cov, -1, 0)
    np.testing.assert_allclose(smoothed.covariances, spread, atol=1e-6)


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("columns", [1, 2])
def test_the_affine_map_is_the_forecast_of_statsmodels(gap, columns):
    model = random_system(4, 3, columns, radius=1.01)
    values = simulated(model, 30, 5)
    affine = window_forecast(model, 30, gap, 6)
    ahead = reference(model, values).ssm.filter().predict(30, 30 + gap + 6).forecasts
    found = (values.reshape(-1) @ affine.weights + affine.constant).reshape(6, columns)
    np.testing.assert_allclose(found, ahead.T[-6:], atol=1e-6)


def test_a_long_series_has_few_covariances_and_the_sums_of_all_its_rows():
    model = random_system(1, 3, 1, radius=0.99)
    values = simulated(model, 3000, 2)
    found = kalman_filter(model, values, np.ones(values.shape, bool))
    assert len(found.forward.updates) < 300
    smoothed = smooth(found)
    total = sum(run.total for run in smoothed.runs)
    np.testing.assert_allclose(total, smoothed.covariances.sum(axis=0), rtol=1e-7)
    other = reference(model, values).ssm.smooth()
    np.testing.assert_allclose(total, other.smoothed_state_cov.sum(axis=-1), rtol=1e-6)
    assert found.log_likelihood == pytest.approx(other.llf, abs=1e-5)


def test_after_a_hole_the_filter_comes_back_to_where_it_stood_still():
    model = random_system(2, 2, 1)
    values = simulated(model, 2000, 2)
    seen = np.ones(values.shape, bool)
    seen[200:2000:50] = False
    found = kalman_filter(model, values, seen)
    assert len(found.forward.updates) < 150
    other = reference(model, np.where(seen, values, np.nan)).ssm.filter()
    np.testing.assert_allclose(found.filtered, other.filtered_state.T, atol=1e-6)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 9999), states=st.integers(1, 5), radius=st.floats(0.05, 0.999))
def test_stationary_and_steady_covariances_solve_their_equations(seed, states, radius):
    model = random_system(seed, states, 2, radius)
    a, c = model.transition, model.observation
    found = stationary_covariance(a, model.state_noise)
    scale = np.abs(found).max()
    np.testing.assert_allclose(found, a @ found @ a.T + model.state_noise, atol=1e-9 * scale)
    before = steady_covariance(model)
    gain = before @ c.T @ np.linalg.inv(c @ before @ c.T + model.observation_noise)
    after = a @ (before - gain @ c @ before) @ a.T + model.state_noise
    np.testing.assert_allclose(after, before, atol=1e-8 * np.abs(before).max())


def test_a_random_walk_is_given_a_wide_distribution():
    found = stationary_covariance(np.eye(1), np.eye(1))
    assert found[0, 0] == pytest.approx(1 / (1 - RADIUS**2), rel=1e-6)


def test_a_walk_that_may_rest_early_moves_the_likelihood_little():
    model = random_system(3, 3, 1, radius=0.999)
    values = simulated(model, 4000, 3)
    seen = np.ones(values.shape, bool)
    seen[500:4000:101] = False
    exact = kalman_filter(model, values, seen)
    early = kalman_filter(model, values, seen, Forward(model, 1e-3))
    assert len(early.forward.updates) < len(exact.forward.updates)
    assert early.log_likelihood == pytest.approx(exact.log_likelihood, rel=1e-4)
    np.testing.assert_allclose(early.filtered, exact.filtered, atol=0.02)
