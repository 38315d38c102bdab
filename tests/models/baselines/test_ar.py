from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.ar_model import AutoReg, ar_select_order

from models.baselines.ar import Ar
from models.baselines.least_squares import TriangularFactor
from models.windows.spec import WindowSpec
from tests.stores import etth1, make_store


def ar2(seed, rows, level=0.0, scale=1.0):
    random = np.random.default_rng(seed)
    x = np.zeros(rows + 50)
    for t in range(2, len(x)):
        x[t] = 1.3 * x[t - 1] - 0.5 * x[t - 2] + random.normal()
    return (level + scale * x[50:]).astype(np.float32)


@pytest.mark.parametrize("limit", [1, 4, 12])
@pytest.mark.parametrize(("level", "scale"), [(0, 1), (1000, 5), (-3, 1e-3)])
def test_order_and_coefficients_are_those_of_statsmodels(limit, level, scale):
    x = ar2(1, 400, level, scale)
    store = make_store([("", 0, x)], WindowSpec(lookback=12, horizon=5), (300, 340, 400))
    baseline = Ar(limit)
    baseline.fit(store.view("train"), store.view("validation"))
    train = x[:300].astype(np.float64)
    chosen = ar_select_order(train, maxlag=limit, ic="aic", trend="c")
    order = len(chosen.ar_lags or [])
    fitted = AutoReg(train, lags=order, trend="c").fit()
    facts = baseline.describe()["y0"]
    assert facts["order"] == order > 0
    assert facts["rows"] == 300 - order
    assert facts["coefficients"] == pytest.approx(fitted.params[1:], rel=1e-5)
    assert facts["intercept"] == pytest.approx(fitted.params[0], rel=1e-4, abs=1e-9)
    assert facts["residual_std"] == pytest.approx(np.sqrt(fitted.sigma2), rel=1e-5)
    ranking = {k[-1] if k != 0 else 0: v for k, v in chosen.aic.items()}
    ours = baseline.fitted["y0"].aic
    gaps = [ranking[p] - ranking[order] for p in range(limit + 1)]
    assert [a - ours[order] for a in ours] == pytest.approx(gaps, abs=1e-5)


@pytest.mark.parametrize("gap", [0, 3])
def test_forecasts_are_iterated_as_statsmodels_does(gap):
    x = ar2(2, 300, 20, 3)
    spec = WindowSpec(lookback=10, horizon=6, gap=gap)
    store = make_store([("", 0, x)], spec, (200, 240, 300))
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    order = baseline.describe()["y0"]["order"]
    params = AutoReg(x[:200].astype(float), lags=order, trend="c").fit().params
    view = store.view("test")
    found = baseline.predict(view)
    for w in (0, 7, len(view) - 1):
        past = x[: view.origins[w] + 1].astype(float)
        # Parameters of the train rows, applied to the history up to the origin.
        model = AutoReg(past, lags=order, trend="c")
        ahead = model.predict(params, start=len(past), end=len(past) + gap + 5)
        np.testing.assert_allclose(found[w, :, 0], ahead[gap:], rtol=1e-4)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_etth_like_orders_agree_on_random_walks(seed):
    x = np.random.default_rng(seed).normal(size=150).cumsum()
    store = make_store([("", 0, x)], WindowSpec(lookback=8, horizon=2), (150, 151, 152))
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    chosen = ar_select_order(np.asarray(x, np.float32).astype(float), maxlag=8, ic="aic")
    assert baseline.describe()["y0"]["order"] == len(chosen.ar_lags or [])


def test_nothing_after_the_validation_boundary_is_looked_at():
    x = ar2(3, 300)
    spec = WindowSpec(lookback=6, horizon=2)
    first = Ar()
    first.fit(make_store([("", 0, x)], spec, (200, 240, 300)).view("train"), None)
    x = x.copy()
    x[200:] = 1e6
    second = Ar()
    second.fit(make_store([("", 0, x)], spec, (200, 240, 300)).view("train"), None)
    assert first.describe() == second.describe()


def test_filled_values_are_never_responses():
    x = ar2(4, 300)
    hidden = np.random.default_rng(0).random(300) < 0.2
    store = make_store(
        [("", 0, x)], WindowSpec(lookback=3, horizon=1), (300, 301, 302), hidden={0: hidden}
    )
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    facts = baseline.describe()["y0"]
    p = facts["order"]
    rows = [t for t in range(p, 300) if not hidden[t]]
    design = [[1.0, *(float(x[t - i]) for i in range(1, p + 1))] for t in rows]
    expected = np.linalg.lstsq(np.array(design), x[rows].astype(float), rcond=None)[0]
    assert [facts["intercept"], *facts["coefficients"]] == pytest.approx(expected, rel=1e-6)
    assert facts["rows"] == len(rows)


def test_several_series_are_pooled_after_scaling_and_none_dominates():
    spec = WindowSpec(lookback=4, horizon=3)
    one, two = ar2(5, 300), ar2(6, 300)
    small = make_store([("a", 0, one), ("b", 0, two)], spec, (200, 240, 300))
    large = make_store([("a", 0, one), ("b", 0, 1e4 + 1e3 * two)], spec, (200, 240, 300))
    a, b = Ar(2), Ar(2)
    a.fit(small.view("train"), None)
    b.fit(large.view("train"), None)
    assert a.describe()["pooled_series"] == 2
    coefficients = a.describe()["y0"]["coefficients"]
    assert b.describe()["y0"]["coefficients"] == pytest.approx(coefficients, rel=1e-3)
    assert coefficients == pytest.approx([1.3, -0.5], abs=0.1)
    view = small.view("test")
    first = small.series_of(view.origins) == 0
    forecasts, others = a.predict(view), b.predict(large.view("test"))
    np.testing.assert_allclose(others[first], forecasts[first], atol=2e-3)
    np.testing.assert_allclose((others[~first] - 1e4) / 1e3, forecasts[~first], atol=2e-3)


def test_segments_are_not_joined_across_a_hole():
    x, y = ar2(7, 120), 50 + ar2(8, 120)
    spec = WindowSpec(lookback=5, horizon=1)
    store = make_store([("", 0, x), ("", 130, y)], spec, (260, 261, 262))
    baseline = Ar(1)
    baseline.fit(store.view("train"), None)
    pairs = [(s[t - 1], s[t]) for s in (x, y) for t in range(1, 120)]
    design = np.array([[1.0, float(a)] for a, _ in pairs])
    expected = np.linalg.lstsq(design, np.array([float(b) for _, b in pairs]), rcond=None)[0]
    facts = baseline.describe()["y0"]
    assert facts["rows"] == 238
    assert [facts["intercept"], *facts["coefficients"]] == pytest.approx(expected, rel=1e-5)


def test_series_that_begin_after_the_train_split_are_forecast_too():
    spec = WindowSpec(lookback=4, horizon=2)
    store = make_store(
        [("a", 0, ar2(9, 300)), ("late", 250, 1e5 + ar2(10, 50))], spec, (200, 240, 300)
    )
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    view = store.view("test")
    late = store.series_of(view.origins) == 1
    assert late.any()
    assert np.abs(baseline.predict(view)[late] - 1e5).max() < 50


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
@pytest.mark.parametrize("horizon", [3, 20])
def test_forecasts_are_always_finite(values, horizon):
    store = make_store([("", 0, values)], WindowSpec(lookback=3, horizon=horizon), (30, 31, 60))
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    predictions = baseline.predict(store.view("test"))
    assert len(predictions)
    assert np.isfinite(predictions).all()
    if values[0] == 0.1:
        np.testing.assert_allclose(predictions, 0.1, rtol=1e-6)
    if values[1] == 1.0 and horizon == 3:
        np.testing.assert_allclose(predictions, store.view("test").labels(), rtol=1e-3, atol=1e-6)


def test_an_explosive_model_ends_at_the_range_of_float32():
    store = make_store(
        [("", 0, 3.0 ** np.arange(40))], WindowSpec(lookback=1, horizon=900), (30, 31, 2000)
    )
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    view = store.view("train")
    from models.windows.view import WindowView

    predictions = baseline.predict(WindowView(store, np.array([29])))
    assert len(view) == 0
    assert np.isfinite(predictions).all()
    assert predictions.max() > 1e38


@pytest.mark.parametrize("rows", [1, 2, 5, 9])
def test_short_histories_limit_the_order(rows):
    x = ar2(11, 60)
    store = make_store([("", 0, x)], WindowSpec(lookback=8, horizon=2), (rows, 30, 60))
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    facts = baseline.describe()["y0"]
    assert facts["order"] <= max(0, (rows - 4) // 3)
    assert np.isfinite(baseline.predict(store.view("test"))).all()


def test_the_lookback_limits_the_order():
    x = ar2(12, 300)
    store = make_store([("", 0, x)], WindowSpec(lookback=1, horizon=2), (200, 240, 300))
    baseline = Ar(10)
    baseline.fit(store.view("train"), None)
    assert baseline.describe()["y0"]["order"] == 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), blocks=st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_the_triangular_factor_gives_every_nested_least_squares(seed, blocks):
    random = np.random.default_rng(seed)
    rows = [random.normal(size=(n, 5)) for n in blocks]
    factor = TriangularFactor(5)
    for block in rows:
        factor.add(block)
        factor.residuals()
    table = np.concatenate(rows)
    assert factor.rows == len(table)
    for k in range(5):
        solution, *_ = np.linalg.lstsq(table[:, :k], table[:, -1], rcond=None)
        residual = table[:, -1] - table[:, :k] @ solution
        assert factor.residuals()[k] == pytest.approx(residual @ residual, abs=1e-9)
        if len(table) > 5:
            np.testing.assert_allclose(factor.solve(k), solution, atol=1e-8)


def test_ar_beats_the_last_value_on_etth1():
    store = etth1(["OT"], 96, 24)
    baseline = Ar()
    baseline.fit(store.view("train"), None)
    view = store.view("test")
    labels = view.labels()
    last = view.targets()[:, -1:, :]
    assert np.square(baseline.predict(view) - labels).mean() < np.square(last - labels).mean()
