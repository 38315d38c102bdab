from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error

from models.metrics.losses import window_losses
from models.metrics.pointwise import symmetric_percentage_error
from models.metrics.scores import METRICS, Scores
from models.metrics.yardstick import Yardstick
from models.windows.spec import WindowSpec
from models.windows.view import WindowView
from tests.stores import etth1, make_store, scaling_of


def random_store(seed: int, hide: float = 0.0, targets: int = 2):
    random = np.random.default_rng(seed)
    blocks = [
        (name, hour, random.normal(size=(rows, targets)).cumsum(axis=0) * [1, 50][:targets])
        for name, hour, rows in (("a", 0, 60), ("b", 5, 40), ("b", 47, 15), ("c", 2, 50))
    ]
    hidden = {i: random.random((len(b[2]), targets)) < hide for i, b in enumerate(blocks)}
    spec = WindowSpec(lookback=3, horizon=4, gap=1)
    return make_store(blocks, spec, (25, 32, 62), hidden=hidden)


def loops(store, view, predictions, season):
    """Every metric by plain loops over single labels."""
    scaling, targets = scaling_of(store), store.roles.targets
    denominators = {}
    for s in range(len(store.series)):
        for k in range(len(targets)):
            pairs = [
                (row, row - season)
                for series, first, rows in store.segments
                for row in range(first + season, first + rows)
                if series == s and store.time[row] < store.boundaries[1]
            ]
            steps = [
                abs(float(store.values[a, k]) - float(store.values[b, k]))
                for a, b in pairs
                if store.observed[a, k] and store.observed[b, k]
            ]
            denominators[s, k] = sum(steps) / len(steps) if steps else math.nan
    labels = view.labels()
    cells = []
    for w in range(len(view)):
        s = int(store.series_of(view.origins[w : w + 1])[0])
        for h in range(store.spec.horizon):
            for k, name in enumerate(targets):
                y, f = float(labels[w, h, k]), float(predictions[w, h, k])
                if math.isnan(y):
                    continue
                size = abs(y) + abs(f)
                cells.append(
                    {
                        "series": s,
                        "horizon": h,
                        "target": k,
                        "a": abs(y - f),
                        "q": (y - f) ** 2,
                        "m": 200 * abs(y - f) / size if size else 0.0,
                        "std": scaling[name].scale,
                    }
                )

    def metrics(chosen):
        def mean(values):
            values = list(values)
            return sum(values) / len(values) if values else math.nan

        ratios = []
        for (s, k), d in denominators.items():
            errors = [c["a"] for c in chosen if (c["series"], c["target"]) == (s, k)]
            if errors and d > 0:
                ratios.append(mean(errors) / d)
        mse = mean(c["q"] for c in chosen)
        return {
            "mae": mean(c["a"] for c in chosen),
            "rmse": math.sqrt(mse),
            "mse": mse,
            "smape": mean(c["m"] for c in chosen),
            "mase": mean(ratios),
            "mae_scaled": mean(c["a"] / c["std"] for c in chosen),
            "mse_scaled": mean(c["q"] / c["std"] ** 2 for c in chosen),
        }

    return cells, metrics


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    hide=st.sampled_from([0.0, 0.2, 0.7, 1.0]),
    season=st.sampled_from([1, 3, 24, 30]),
)
def test_every_metric_along_every_axis_equals_plain_loops(seed, hide, season):
    store = random_store(seed, hide)
    if not store.observed[store.time < store.boundaries[1]].any(axis=0).all():
        return
    view = store.view("test")
    shape = (len(view), 4, 2)
    predictions = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    scores = Scores.of(view, predictions, Yardstick.of(store, scaling_of(store), season))
    cells, metrics = loops(store, view, predictions, season)
    expected = metrics(cells)
    found = scores.overall()
    assert set(found) == set(METRICS) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name
    for axis, size in (("series", 3), ("horizon", 4), ("target", 2)):
        along = scores.by(axis)
        for i in range(size):
            expected = metrics([c for c in cells if c[axis] == i])
            for name, value in expected.items():
                assert along[name][i] == pytest.approx(value, rel=1e-9, nan_ok=True), (axis, name)
            assert scores.scored(axis)[i] == sum(c[axis] == i for c in cells)


def test_mae_and_mse_agree_with_scikit_learn():
    store = random_store(3)
    view = store.view("test")
    labels = view.labels()
    predictions = (labels + np.random.default_rng(0).normal(size=labels.shape)).astype(np.float32)
    found = Scores.of(view, predictions, Yardstick.of(store, scaling_of(store), 1)).overall()
    y, f = labels.ravel().astype(float), predictions.ravel().astype(float)
    assert found["mae"] == pytest.approx(mean_absolute_error(y, f), rel=1e-12)
    assert found["mse"] == pytest.approx(mean_squared_error(y, f), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 80))
def test_neither_batch_size_nor_window_order_matters(seed, size):
    store = random_store(seed, 0.3)
    view, yardstick = store.view("test"), Yardstick.of(store, scaling_of(store), 2)
    random = np.random.default_rng(seed)
    predictions = random.normal(size=(len(view), 4, 2)).astype(np.float32)
    whole = Scores.of(view, predictions, yardstick).overall()
    order = random.permutation(len(view))
    scores = Scores.empty(yardstick, 4)
    for start in range(0, len(view), size):
        part = order[start : start + size]
        scores.update(
            view.take(part).labels(), predictions[part], store.series_of(view.origins[part])
        )
    for name, value in scores.overall().items():
        assert value == pytest.approx(whole[name], rel=1e-12)


def test_mase_by_hand():
    # Train 0, 1, 4, 9: seasonal differences at lag 2 are 4 and 8, their mean is 6.
    store = make_store(
        [("", 0, [0, 1, 4, 9, 16, 25, 36])], WindowSpec(lookback=1, horizon=1), (4, 5, 7)
    )
    yardstick = Yardstick.of(store, scaling_of(store), 2)
    assert yardstick.denominators == pytest.approx(np.array([[6.0]]))
    view = store.view("test")
    predictions = np.array([[[22.0]], [[42.0]]], np.float32)
    # Errors 3 and 6, their mean 4.5, over 6.
    assert Scores.of(view, predictions, yardstick).overall()["mase"] == pytest.approx(0.75)


def test_series_that_repeat_exactly_are_left_out_of_mase():
    spec = WindowSpec(lookback=1, horizon=1)
    flat, ramp = np.full(10, 5.0), np.arange(10.0)
    both = make_store([("flat", 0, flat), ("ramp", 0, ramp)], spec, (5, 7, 10))
    view = both.view("test")
    predictions = view.labels() + 2
    yardstick = Yardstick.of(both, scaling_of(both), 1)
    scores = Scores.of(view, predictions, yardstick)
    assert scores.overall()["mase"] == pytest.approx(2.0)
    assert math.isnan(scores.by("series")["mase"][0])
    losses = window_losses(view, predictions, "mase", yardstick)
    series = both.series_of(view.origins)
    assert np.isnan(losses[series == 0]).all()
    assert losses[series == 1] == pytest.approx(2.0)
    alone = make_store([("flat", 0, flat)], spec, (5, 7, 10))
    only = Yardstick.of(alone, scaling_of(alone), 1)
    found = Scores.of(alone.view("test"), alone.view("test").labels() + 2, only).overall()
    assert math.isnan(found["mase"])
    assert found["mae_scaled"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("label", "forecast", "expected"),
    [(0, 0, 0), (0, 3, 200), (3, 0, 200), (100, 50, 200 / 3), (-10, 10, 200), (10, 10, 0)],
)
def test_smape_is_the_one_of_m4(label, forecast, expected):
    assert symmetric_percentage_error(label, forecast) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_forecast_that_is_no_number_is_never_good(bad):
    store = random_store(1)
    view = store.view("test")
    predictions = view.labels()
    predictions[0, 0, 0] = bad
    found = Scores.of(view, predictions, Yardstick.of(store, scaling_of(store), 1)).overall()
    for name in METRICS:
        assert not found[name] < 1e30, name


@pytest.mark.parametrize("metric", ["mae", "mse", "smape", "mae_scaled", "mse_scaled"])
def test_window_losses_average_to_the_metric(metric):
    store = random_store(2)
    view, yardstick = store.view("test"), Yardstick.of(store, scaling_of(store), 1)
    predictions = np.zeros((len(view), 4, 2), np.float32)
    losses = window_losses(view, predictions, metric, yardstick)
    expected = Scores.of(view, predictions, yardstick).overall()[metric]
    assert losses.mean() == pytest.approx(expected, rel=1e-12)
    root = window_losses(view, predictions, "rmse", yardstick)
    assert root == pytest.approx(window_losses(view, predictions, "mse", yardstick))


def test_predictions_of_another_shape_are_refused():
    store = random_store(2)
    with pytest.raises(ValueError, match="shape"):
        Scores.of(
            store.view("test"),
            np.zeros((1, 4, 2), np.float32),
            Yardstick.of(store, scaling_of(store), 1),
        )


def test_an_empty_view_scores_nan():
    store = random_store(2)
    view = WindowView(store, store.origins["test"][:0])
    found = Scores.of(
        view, np.zeros((0, 4, 2), np.float32), Yardstick.of(store, scaling_of(store), 1)
    ).overall()
    assert all(math.isnan(v) for v in found.values())


def test_the_literature_counts_windows_and_last_value_on_etth1():
    store = etth1(["OT"], 96, 24)
    counts = [len(store.view(s)) for s in ("train", "validation", "test")]
    assert counts == [8521, 2857, 2857]
