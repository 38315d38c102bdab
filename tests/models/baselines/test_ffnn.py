from __future__ import annotations

import numpy as np
import pytest

from models.baselines.features import FlatFeatures
from models.baselines.ffnn import Ffnn
from models.roles import OBSERVED, Covariates, Roles
from models.windows.spec import WindowSpec
from tests.stores import make_store


def wave_store(gap=0, rows=900, hidden=None):
    random = np.random.default_rng(0)
    t = np.arange(rows)
    driver = random.normal(size=rows)
    y = 100 + 20 * np.sin(2 * np.pi * t / 12) + 8 * driver
    z = 5 * np.cos(2 * np.pi * t / 12)
    roles = Roles(
        targets=("y", "z"), covariates=Covariates(past=("p", OBSERVED), future=("driver",))
    )
    values = np.stack([y, z, random.normal(size=rows), driver], axis=1)
    return make_store(
        [("", 0, values)],
        WindowSpec(lookback=12, horizon=4, gap=gap),
        (600, 750, 900),
        roles=roles,
        hidden=hidden,
    )


def test_features_by_loops():
    store = wave_store(gap=2)
    features = FlatFeatures.of(store)
    batch = store.view("train").take(np.array([3, 40])).gather()
    train = store.values[:600].astype(float)
    mean, std = train.mean(axis=0), train.std(axis=0)
    for w, origin in enumerate(store.view("train").origins[[3, 40]]):
        row = []
        for k in range(2):
            past = store.values[origin - 11 : origin + 1, k].astype(float)
            row += [(v - past[-1]) / std[k] for v in past[:-1]]
            row.append((past[-1] - mean[k]) / std[k])
        row += list((store.values[origin - 11 : origin + 1, 2] - mean[2]) / std[2])
        row += [1.0] * 12
        row += list((store.values[origin - 11 : origin + 7, 3] - mean[3]) / std[3])
        np.testing.assert_allclose(features.inputs(batch)[w], row, atol=1e-4)
    np.testing.assert_allclose(
        features.natural(batch, features.outputs(batch)), batch.labels, rtol=1e-5
    )


@pytest.mark.parametrize("gap", [0, 3])
def test_it_learns_a_wave_and_a_known_driver(gap):
    hidden = {0: np.random.default_rng(1).random((900, 4)) < [0.1, 0.1, 0, 0]}
    store = wave_store(gap, hidden=hidden)
    baseline = Ffnn(units=(32,), epochs=20)
    baseline.fit(store.view("train"), store.view("validation"))
    view = store.view("test")
    predictions = baseline.predict(view)
    assert predictions.dtype == np.float32
    assert predictions.shape == (len(view), 4, 2)
    assert np.isfinite(predictions).all()
    labels = view.labels()
    errors = np.nanmean(np.abs(predictions - labels), axis=(0, 1))
    last = np.nanmean(np.abs(view.targets()[:, -1:] - labels), axis=(0, 1))
    # The driver alone moves y by 6.4 on average: without it no forecast comes below that.
    assert errors[0] < 5 < last[0]
    assert errors[1] < 0.5 * last[1]
    facts = baseline.describe()
    assert facts["stopped_on"] == "validation"
    assert 1 <= facts["best_epoch"] <= facts["epochs"] <= 20


def test_the_same_seed_gives_the_same_forecasts_and_another_does_not():
    store = wave_store(rows=900)
    forecasts = []
    for seed in (1, 1, 2):
        baseline = Ffnn(units=(8,), epochs=1, seed=seed)
        baseline.fit(store.view("train"), None)
        forecasts.append(baseline.predict(store.view("test")))
        assert baseline.describe()["stopped_on"] == "epochs"
    np.testing.assert_array_equal(forecasts[0], forecasts[1])
    assert np.abs(forecasts[0] - forecasts[2]).max() > 1e-3


def test_predicting_before_fitting_is_refused():
    with pytest.raises(RuntimeError, match="not fitted"):
        Ffnn().predict(wave_store().view("test"))
