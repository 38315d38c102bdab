"""Concept drift: errors on new windows against a backtest, with a forecaster that is made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.monitor.concept import check_concept, new_windows, ratios_inside
from components.monitor.config import ConceptDriftConfig
from components.monitor.reference import backtested, errors_by_origin
from models.windows.spec import WindowSpec
from tests.stores import HOUR, make_store

SPEC = WindowSpec(lookback=4, horizon=3)
CONFIG = ConceptDriftConfig()
TEST, OLD, END = 200, 600, 900
"""Hours: the test split begins, the champion's data ends, all data ends."""
SCALE = np.array([2.0])


class Forecaster:
    """Forecasts the truth, `error` off, above or below by chance."""

    carries_state = False

    def __init__(self, error: Any = 1.0, refusal: str | None = None) -> None:
        self.error = error
        self.refusal = refusal

    def usable(self, view: Any) -> Any:
        return np.ones(len(view), bool)

    def comparable(self, store: Any) -> str | None:
        return self.refusal

    def predict(self, view: Any, batch_size: int = 0) -> Any:
        sign = np.random.default_rng(len(view)).choice([-1, 1], (len(view), 3, 1))
        error = self.error(view) if callable(self.error) else self.error
        return (np.nan_to_num(view.labels()) + error * sign).astype(np.float32)


@pytest.fixture(scope="module")
def store() -> Any:
    values = np.random.default_rng(0).normal(size=END)
    return make_store([("", 0, values)], SPEC, (150, TEST, END))


def noisy(view: Any) -> Any:
    """Errors between 0.5 and 1.5, another one for each window."""
    return np.random.default_rng(7).uniform(0.5, 1.5, (len(view), 1, 1))


@pytest.fixture(scope="module")
def backtest(store: Any) -> Any:
    view = store.view("test")
    old = view.take(np.flatnonzero(store.time[view.origins + SPEC.reach] <= OLD * HOUR))
    return backtested(old, Forecaster(noisy).predict(old), SCALE, {"mae": 1.0})


def check(store: Any, backtest: Any, forecaster: Any, **changes: Any) -> Any:
    return check_concept(
        store,
        Path("champion"),
        backtest,
        CONFIG.model_copy(update=changes),
        since=OLD * HOUR,
        metric="mae",
        load=lambda _: forecaster,
    )


def test_new_windows_have_only_new_labels(store: Any) -> None:
    origins = new_windows(store, OLD * HOUR).origins
    expected = [t for t in range(SPEC.lookback - 1, END - SPEC.reach) if t + 1 > OLD]
    assert origins.tolist() == expected


def test_errors_like_those_of_the_backtest_are_no_drift(store: Any, backtest: Any) -> None:
    found = check(store, backtest, Forecaster(noisy))
    assert found.state == "steady"
    [one] = found.findings
    assert one.value == pytest.approx(1, abs=0.1)
    assert one.ranges > 20
    assert found.size == END - OLD - SPEC.reach
    assert found.errors.new_metric == pytest.approx(1, abs=0.1)
    assert found.errors.backtest_metric == 1.0


def test_larger_errors_are_drift(store: Any, backtest: Any) -> None:
    found = check(store, backtest, Forecaster(2.0))
    assert found.state == "drifted"
    assert found.findings[0].value == pytest.approx(2.0 / SCALE[0] / backtest.error, rel=1e-5)
    assert "times that of its backtest" in found.reason


def test_a_threshold_below_what_the_backtest_showed_is_not_enough(store: Any) -> None:
    view = store.view("test")
    old = view.take(np.flatnonzero(store.time[view.origins + SPEC.reach] <= OLD * HOUR))

    def waves(of: Any) -> Any:
        return (1 + np.sin(np.asarray(of.origins) / 300))[:, None, None]

    wavy = backtested(old, Forecaster(waves).predict(old), SCALE, {})
    [first] = check(store, wavy, Forecaster(), threshold=1.001).findings
    assert first.limit == first.level > 1.001
    for factor, state in ((0.99, "steady"), (1.01, "drifted")):
        error = factor * first.limit * wavy.error * SCALE[0]
        assert check(store, wavy, Forecaster(error), threshold=1.001).state == state


@pytest.mark.parametrize("group", [50, 10_000])
def test_errors_by_origin_against_a_loop(store: Any, group: int, monkeypatch: Any) -> None:
    monkeypatch.setattr("components.monitor.reference.ORIGINS", group)
    view = store.view("test")
    predictions = Forecaster(noisy).predict(view)
    times, errors, mean = errors_by_origin(view, predictions, SCALE)
    one = np.abs(predictions - view.labels()).mean(axis=(1, 2)) / SCALE[0]
    np.testing.assert_allclose(errors, one, rtol=1e-5)
    assert mean == pytest.approx(one.mean(), rel=1e-5)
    kept = backtested(view, predictions, SCALE, {})
    assert len(kept.times) <= group
    step = kept.origins
    expected = [one[i : i + step].mean() for i in range(0, len(one), step)]
    np.testing.assert_allclose(kept.errors, expected, rtol=1e-5)
    assert kept.times == tuple(times[::step].tolist())


def test_ratios_inside_are_those_of_ranges_of_the_same_length(backtest: Any) -> None:
    ratios = ratios_inside(backtest, 100)
    errors = np.asarray(backtest.errors)
    every = [errors[i : i + 100].mean() / backtest.error for i in range(len(errors) - 99)]
    assert set(np.round(ratios, 9)) <= set(np.round(every, 9))
    assert len(ratios_inside(backtest, len(errors))) == 0


def test_what_cannot_be_judged_says_why(store: Any, backtest: Any) -> None:
    class Broken(Forecaster):
        def predict(self, view: Any, batch_size: int = 0) -> Any:
            raise RuntimeError("no such op\nand more")

    few = check(store, backtest, Forecaster(), min_windows=10_000)
    assert (few.state, few.waiting) == ("not_checked", True)
    for found, words in [
        (check(store, None, Forecaster()), "keeps no errors"),
        (check(store, backtest, Forecaster(refusal="its step is D")), "its step is D"),
        (check(store, backtest, Broken()), "RuntimeError: no such op"),
    ]:
        assert (found.state, found.waiting) == ("not_checked", False)
        assert words in found.reason
        assert "\n" not in found.reason
