from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.metrics.paired import diebold_mariano, mean_by_time, overlap


def by_loops(a, b, h):
    d = [x - y for x, y in zip(a, b, strict=True)]
    n = len(d)
    mean = sum(d) / n

    def gamma(k):
        return sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n

    variance = gamma(0) + 2 * sum(gamma(k) for k in range(1, h))
    kernel = "rectangular"
    if variance <= 0:
        variance = gamma(0) + 2 * sum((1 - k / h) * gamma(k) for k in range(1, h))
        kernel = "bartlett"
    statistic = mean / math.sqrt(variance / n)
    statistic *= math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return statistic, kernel


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(8, 60), lags=st.integers(0, 6))
def test_statistic_equals_plain_loops(seed, n, lags):
    random = np.random.default_rng(seed)
    a, b = random.random(n), random.random(n)
    found = diebold_mariano(a, b, lags)
    statistic, kernel = by_loops(a, b, lags + 1)
    assert found.statistic == pytest.approx(statistic, rel=1e-7)
    assert found.variance == kernel
    assert found.p_two_sided == pytest.approx(2 * stats.t.cdf(-abs(statistic), n - 1), rel=1e-6)
    assert found.p_better == pytest.approx(stats.t.cdf(statistic, n - 1), rel=1e-6)
    assert found.mean_difference == pytest.approx((a - b).mean())


def test_published_values_one_step():
    # Squared errors of two forecasts of zeros, as in the tests of the package dieboldmariano.
    a, b = np.square([0.0, 1, 2, 3, 4, 5]), np.square([0.0, 2, 3, 3, 5, 6])
    found = diebold_mariano(a, b, 0)
    assert found.statistic == pytest.approx(-2.4905, abs=5e-5)
    assert found.p_two_sided == pytest.approx(0.05513, abs=5e-5)


def test_published_values_three_steps():
    # Absolute errors at h = 3, one-sided, from the same place.
    a = [
        0.3675225224615024, 0.5450608127223211, 0.22044990720021074, 0.8688743471040006,
        0.6072512228948467, 0.8582283746501538, 0.41662295816718187, 0.3812100211114714,
        0.7185133356116706, 0.30827323290318875, 0.4297093624074402, 0.8615974488577858,
        0.7240514514808826, 0.3450839595261038, 0.19675301374013598,
    ]  # fmt: skip
    b = [
        0.12794132529988733, 0.3679643204341153, 0.768715420996091, 0.09972248964114683,
        0.27197653636654284, 0.28797629010039505, 0.9160213458582482, 0.6112628048698798,
        0.5452873235576241, 0.06785907231746158, 0.6072666485541124, 0.6241575753989782,
        0.39998026828867217, 0.19895665605941748, 0.8094941215215619,
    ]  # fmt: skip
    found = diebold_mariano(np.array(a), np.array(b), 2)
    assert found.statistic == pytest.approx(1.2109, abs=5e-5)
    assert found.p_better == pytest.approx(0.877, abs=5e-5)


def test_size_is_near_the_nominal_level_under_overlap():
    # Differences are a moving average of order 3, as four-step errors are.
    random = np.random.default_rng(0)
    rejected = 0
    for _ in range(400):
        noise = random.normal(size=203)
        d = np.convolve(noise, np.ones(4), "valid")
        rejected += diebold_mariano(d, np.zeros(200), 3).p_two_sided < 0.05
    assert 0.02 < rejected / 400 < 0.12
    # Without the lags the same data would be rejected far too often.
    naive = sum(
        diebold_mariano(
            np.convolve(random.normal(size=203), np.ones(4), "valid"), np.zeros(200), 0
        ).p_two_sided
        < 0.05
        for _ in range(400)
    )
    assert naive / 400 > 0.2


def test_bartlett_takes_over_when_the_variance_is_negative():
    a = np.tile([0.0, 1.0], 10) + np.linspace(0, 0.01, 20)
    found = diebold_mariano(a, np.full(20, 0.4), 1)
    assert found.variance == "bartlett"
    assert math.isfinite(found.statistic)


@pytest.mark.parametrize(("shift", "two_sided", "better"), [(0, 1, 0.5), (-1, 0, 0), (1, 0, 1)])
def test_differences_that_do_not_vary(shift, two_sided, better):
    a = np.random.default_rng(0).integers(0, 9, 12).astype(float)
    found = diebold_mariano(a + shift, a, 0)
    assert (found.variance, found.p_two_sided, found.p_better) == ("zero", two_sided, better)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_origins_have_no_p_value(n):
    found = diebold_mariano(np.arange(float(n)), np.zeros(n), 3)
    assert found.variance == "none"
    assert math.isnan(found.p_better)
    assert found.origins == n


def test_nan_pairs_are_left_out():
    random = np.random.default_rng(0)
    a, b = random.random(20), random.random(20)
    a[3], b[7] = np.nan, np.nan
    keep = [i for i in range(20) if i not in (3, 7)]
    assert diebold_mariano(a, b, 1) == diebold_mariano(a[keep], b[keep], 1)


@pytest.mark.parametrize(
    ("reach", "stride", "lags"), [(1, 1, 0), (24, 1, 23), (24, 24, 0), (25, 24, 1), (24, 5, 4)]
)
def test_overlap_counts_origins_whose_errors_share_shocks(reach, stride, lags):
    assert overlap(reach, stride) == lags == len(range(stride, reach, stride))


def test_one_origin_time_is_one_observation():
    time = np.array([5, 1, 5, 1, 3, 9])
    a = np.array([1.0, 2, 3, 4, 5, np.nan])
    b = np.array([0.0, 1, np.nan, 1, 1, 1])
    first, second = mean_by_time(time, (a, b))
    assert first.tolist() == [3, 5, 1]
    assert second.tolist() == [1, 1, 0]
