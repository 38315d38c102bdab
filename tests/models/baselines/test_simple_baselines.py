from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.baselines.config import BaselinesConfig
from models.baselines.naive import Naive
from models.baselines.registry import REGISTRY, build, season_of
from models.baselines.seasonal_naive import SeasonalNaive
from models.metrics.scores import Scores
from models.metrics.yardstick import Yardstick
from models.windows.spec import WindowSpec
from models.windows.view import WindowView
from tests.stores import etth1, make_store, scaling_of

ETT_COLUMNS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")


def by_loops(store, origins, season):
    out, fallbacks = [], 0
    for t in origins:
        _, first, _ = next(s for s in store.segments if s[1] <= t < s[1] + s[2])
        steps = []
        for j in range(1, store.spec.horizon + 1):
            row = t + store.spec.gap + j
            while row > t:
                row -= season
            if row < first:
                row, fallbacks = t, fallbacks + 1
            steps.append(store.values[row, : len(store.roles.targets)])
        out.append(steps)
    return np.array(out, np.float32).reshape(len(origins), store.spec.horizon, -1), fallbacks


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999),
    season=st.integers(1, 12),
    lookback=st.integers(1, 6),
    horizon=st.integers(1, 9),
    gap=st.integers(0, 5),
    stride=st.integers(1, 3),
)
def test_seasonal_naive_equals_plain_loops(seed, season, lookback, horizon, gap, stride):
    random = np.random.default_rng(seed)
    spec = WindowSpec(lookback=lookback, horizon=horizon, gap=gap, stride=stride)
    parts = [("a", 0, 40), ("b", 3, 25), ("b", 40, 30)]
    store = make_store(
        [(n, h, random.normal(size=(rows, 2))) for n, h, rows in parts], spec, (20, 30, 70)
    )
    baseline = SeasonalNaive(season)
    baseline.fit(store.view("train"), None)
    forecasts = fallbacks = 0
    for split in ("train", "test"):
        view = store.view(split)
        expected, missing = by_loops(store, view.origins, season)
        np.testing.assert_array_equal(baseline.predict(view), expected)
        forecasts, fallbacks = forecasts + len(view) * horizon, fallbacks + missing
    assert baseline.describe() == {
        "season": season,
        "forecasts": forecasts,
        "last_value_for_want_of_history": fallbacks,
    }


def test_seasonal_naive_is_exact_on_a_periodic_series_whatever_the_gap():
    values = np.tile(np.arange(7.0), 12)
    for gap in (0, 3, 8):
        spec = WindowSpec(lookback=7, horizon=10, gap=gap)
        store = make_store([("", 0, values)], spec, (40, 60, 84))
        view = store.view("train")
        np.testing.assert_array_equal(SeasonalNaive(7).predict(view), view.labels())


@pytest.mark.parametrize("name", ["naive", "seasonal_naive", "ar"])
def test_nothing_is_learnt_from_the_far_side_of_an_open_hole(name):
    spec = WindowSpec(lookback=6, horizon=3)
    forecasts = []
    for after in (5.0, 500.0):
        values = np.random.default_rng(0).normal(size=60)
        # Steps 50 to 53 were missing and are filled on the line to step 54.
        values[54] = after
        values[50:54] = np.interp([1, 2, 3, 4], [0, 5], [values[49], after])
        hidden = np.zeros(60, bool)
        hidden[50:54] = True
        store = make_store([("", 0, values)], spec, (30, 40, 60), hidden={0: hidden})
        baseline = build(name, BaselinesConfig(), 2)
        baseline.fit(store.view("train"), None)
        forecasts.append(baseline.predict(WindowView(store, np.arange(45, 54))))
    np.testing.assert_array_equal(forecasts[0], forecasts[1])
    if name == "naive":
        np.testing.assert_array_equal(forecasts[0][5:, :, 0], np.full((4, 3), store.values[49, 0]))


def test_naive_repeats_the_last_value_of_each_target():
    store = make_store(
        [("", 0, np.random.default_rng(0).normal(size=(30, 3)))],
        WindowSpec(lookback=4, horizon=3, gap=2),
        (20, 22, 30),
    )
    view = store.view("train")
    predictions = Naive().predict(view)
    assert predictions.dtype == np.float32
    for w, t in enumerate(view.origins):
        for h in range(3):
            np.testing.assert_array_equal(predictions[w, h], store.values[t])


def test_the_registry_builds_every_baseline_with_its_settings():
    config = BaselinesConfig(
        names=("naive", "seasonal_naive", "ar", "ffnn", "lds"),
        ar_max_lags=5,
        ffnn_units=(8, 4),
        ffnn_epochs=3,
        ffnn_seed=11,
        lds_states=6,
        lds_iterations=2,
    )
    built = {name: build(name, config, 24) for name in config.names}
    assert set(REGISTRY) == set(built)
    assert all(b.name == name for name, b in built.items())
    assert built["seasonal_naive"].season == 24
    assert built["ar"].max_lags == 5
    assert (built["ffnn"].units, built["ffnn"].epochs, built["ffnn"].seed) == ((8, 4), 3, 11)
    assert (built["lds"].states, built["lds"].iterations) == (6, 2)


def test_the_season_is_that_of_the_frequency_unless_configured():
    store = make_store([("", 0, np.arange(9.0))], WindowSpec(lookback=1, horizon=1), (3, 5, 9))
    assert season_of(store, None) == 24
    assert season_of(store, 168) == 168


@pytest.mark.parametrize(
    ("targets", "name", "mse", "mae"),
    [
        (("OT",), "naive", 0.034, 0.139),
        (ETT_COLUMNS, "naive", 1.222, 0.671),
        (ETT_COLUMNS, "seasonal_naive", 0.424, 0.389),
    ],
)
def test_scores_on_etth1_with_the_protocol_of_the_literature(targets, name, mse, mae):
    store = etth1(targets, 96, 24)
    view = store.view("test")
    assert len(view) == 2857
    baseline = build(name, BaselinesConfig(), season_of(store, None))
    scores = Scores.of(
        view, baseline.predict(view), Yardstick.of(store, scaling_of(store), 24)
    ).overall()
    assert round(scores["mse_scaled"], 3) == mse
    assert round(scores["mae_scaled"], 3) == mae
