from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from components.backtest.champion import Champion, ChampionEntry, enter
from components.backtest.config import GateConfig
from components.backtest.evaluate import evaluate
from components.backtest.evaluation import Evaluation
from components.backtest.record import record
from components.backtest.samples import Samples, extremes, samples
from components.backtest.write import read, write
from components.baselines.forecast import forecast_baselines
from components.tracking.recorder import SilentRecorder, use
from models.baselines.config import BaselinesConfig
from models.errors import BadInputError, FailedRunError
from models.metrics.scores import Scores
from models.metrics.yardstick import Yardstick
from models.windows.spec import WindowSpec
from tests.stores import HOUR, make_store, scaling_of

GATE = GateConfig()
BASELINES = BaselinesConfig(names=("naive", "seasonal_naive", "ar"), season=6)
LIVE = Champion("7", Path("nowhere"), "d" * 64)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    random = np.random.default_rng(0)
    t = np.arange(300)
    waves = [10 + 3 * np.sin(2 * np.pi * t / 6 + p) + random.normal(size=300) for p in (0, 1)]
    hidden = {0: random.random(300) < 0.1}
    store = make_store(
        [("a", 0, waves[0]), ("b", 0, waves[1])],
        WindowSpec(lookback=6, horizon=4),
        (150, 200, 300),
        hidden=hidden,
    )
    stored = forecast_baselines(store, BASELINES, tmp_path_factory.mktemp("baselines"))
    return store, stored


def near(store, error, seed=1):
    rows = store.view("test").origins[:, None] + np.arange(1, 5)
    noise = np.random.default_rng(seed).normal(size=(len(rows), 4, 1))
    return (store.values[rows, :1] + error * noise).astype(np.float32)


def run(world, predictions, entry=None, **gate):
    store, stored = world
    return evaluate(
        store,
        predictions,
        stored,
        entry,
        gate=GateConfig(**gate),
        scaling=scaling_of(store),
        season=6,
    )


def test_a_good_candidate_is_blessed_and_every_number_is_that_of_its_windows(world):
    store, stored = world
    predictions = near(store, 0.1)
    found = run(world, predictions).evaluation
    assert found.verdict.blessed
    assert set(found.models) == {"candidate", "naive", "seasonal_naive", "ar"}
    assert found.windows == len(store.view("test")) == found.models["ar"].windows
    yardstick = Yardstick.of(store, scaling_of(store), 6)
    seasonal = Scores.of(
        store.view("test"), stored.predictions("seasonal_naive"), yardstick
    ).overall()
    mine = Scores.of(store.view("test"), predictions, yardstick)
    for name, value in mine.overall().items():
        assert getattr(found.models["candidate"], name) == value
    assert found.models["candidate"].skill == pytest.approx(
        1 - mine.overall()["mae"] / seasonal["mae"]
    )
    assert found.models["seasonal_naive"].skill == 0
    assert found.per_horizon["candidate"].mse == tuple(mine.by("horizon")["mse"])
    assert found.per_target["candidate"]["y0"]["mase"] == mine.by("target")["mase"][0]
    values = {n: found.models[n].mae for n in stored.names}
    assert found.best_baseline == min(values, key=values.get)
    # Labels of the first window: series start at hour 0, test at hour 200, to hour 299.
    assert found.labels_from == f"{np.datetime64(200 * HOUR, 's')}Z"
    assert found.labels_to == f"{np.datetime64(299 * HOUR, 's')}Z"


def test_a_bad_candidate_is_not_blessed(world):
    found = run(world, near(world[0], 9.0)).evaluation
    assert not found.verdict.blessed
    assert any("is not below ar" in r for r in found.verdict.reasons)


def test_a_candidate_as_good_as_a_baseline_is_not_blessed(world):
    stored = world[1]
    found = run(world, np.array(stored.predictions("ar")), beats=("ar",)).evaluation
    assert not found.verdict.blessed
    assert "a tie is not a win" in found.verdict.reasons[0]
    (test,) = (c for c in found.comparisons if c.other == "ar")
    assert (test.variance, test.p_two_sided, test.p_better) == ("zero", 1.0, 0.5)


@pytest.mark.parametrize("metric", ["mae", "rmse", "mse", "mase", "smape"])
def test_one_nan_forecast_never_blesses(world, metric):
    predictions = near(world[0], 0.0)
    assert run(world, predictions, metric=metric).evaluation.verdict.blessed
    seen = np.argwhere(~np.isnan(world[0].view("test").labels()))[0]
    predictions[tuple(seen)] = np.nan
    found = run(world, predictions, metric=metric).evaluation
    assert not found.verdict.blessed
    assert getattr(found.models["candidate"], metric) is None
    assert json.loads(found.model_dump_json())["models"]["candidate"][metric] is None


def test_comparisons_pair_origins_by_time(world):
    found = run(world, near(world[0], 0.1)).evaluation
    test = {c.other: c for c in found.comparisons}["naive"]
    # Two series share each origin time.
    assert test.windows == 2 * test.origins
    assert test.lags == 3
    assert test.mean_difference < 0
    assert test.p_better < 0.001


def test_a_better_champion_blocks_and_a_worse_one_does_not(world):
    store = world[0]
    index = np.arange(len(store.view("test")))
    for error, blessed in ((0.01, False), (3.0, True)):
        entry = ChampionEntry(LIVE, index, near(store, error, seed=2))
        found = run(world, near(store, 0.1), entry).evaluation
        assert found.verdict.blessed is blessed
        assert found.champion.compared
        assert any("the champion (version 7)" in r for r in found.verdict.reasons)
        assert "champion" in found.models
        ignored = run(world, near(store, 0.1), entry, champion=False).evaluation
        assert ignored.verdict.blessed
        assert "champion" in ignored.models


def test_a_champion_with_a_longer_past_is_compared_on_common_windows(world):
    store = world[0]
    index = np.arange(10, 60)
    predictions = near(store, 0.1)
    # Only on the windows in common is the candidate better than the champion.
    predictions[:10] += 2
    entry = ChampionEntry(LIVE, index, near(store, 0.5, seed=2)[index], "compared on 50 of 194")
    found = run(world, predictions, entry).evaluation
    assert found.champion.windows == found.models["champion"].windows == 50
    yardstick = Yardstick.of(store, scaling_of(store), 6)
    view = store.view("test").take(index)
    expected = Scores.of(view, predictions[index], yardstick).overall()
    assert found.champion.candidate.mae == expected["mae"]
    assert found.models["candidate"].mae > found.champion.candidate.mae
    (reason,) = (r for r in found.verdict.reasons if "is below the champion" in r)
    assert f"mae {expected['mae']:.4g} is below" in reason
    (test,) = (c for c in found.comparisons if c.other == "champion")
    assert test.windows == 50
    seasonal = Scores.of(view, world[1].predictions("seasonal_naive")[index], yardstick).overall()
    assert found.champion.candidate.skill == pytest.approx(1 - expected["mae"] / seasonal["mae"])


def test_a_champion_that_was_not_scored_is_reported_and_does_not_block(world):
    entry = ChampionEntry(LIVE, np.zeros(0, np.int64), None, "its horizon is 9 steps")
    found = run(world, near(world[0], 0.1), entry).evaluation
    assert found.verdict.blessed
    assert not found.champion.compared
    assert "champion" not in found.models
    text = "the champion (version 7) was not compared: its horizon is 9 steps"
    assert text in found.verdict.reasons


@pytest.mark.parametrize(("error", "blessed"), [(0.1, True), (9.0, False)])
def test_a_candidate_that_is_the_champion_is_held_against_the_baselines_only(world, error, blessed):
    reason = "the candidate is the champion already (version 7)"
    entry = ChampionEntry(LIVE, np.zeros(0, np.int64), None, reason, same_model=True)
    found = run(world, near(world[0], error), entry).evaluation
    assert found.verdict.blessed is blessed
    assert found.champion.same_model
    assert found.verdict.reasons[-1] == reason


def test_a_gate_on_a_baseline_that_was_not_scored_is_bad_input(world):
    with pytest.raises(BadInputError, match=r"gate\.beats names"):
        run(world, near(world[0], 0.1), beats=("ffnn",))


def test_forecasts_of_other_windows_are_refused(world):
    with pytest.raises(FailedRunError, match="shape"):
        run(world, near(world[0], 0.1)[1:])


def test_files_say_the_same_as_the_evaluation(world, tmp_path):
    store = world[0]
    backtest = run(world, near(store, 0.1))
    write(backtest, store.series, tmp_path / "out")
    assert read(tmp_path / "out") == backtest.evaluation
    assert Evaluation.from_json(backtest.evaluation.canonical_json()) == backtest.evaluation
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "evaluation.json",
        "per_series.csv",
    ]
    rows = list(csv.DictReader((tmp_path / "out" / "per_series.csv").open()))
    assert len(rows) == 4 * 2
    labels = store.view("test").labels()
    series = store.series_of(store.view("test").origins)
    for row in rows:
        part = series == store.series.index(row["series"])
        expected = np.nanmean(np.abs(backtest.predictions[row["model"]][part] - labels[part]))
        assert float(row["mae"]) == pytest.approx(expected, rel=1e-5)
        assert int(row["labels"]) == np.count_nonzero(~np.isnan(labels[part]))
    with pytest.raises(FailedRunError):
        read(tmp_path)


class Notes(SilentRecorder):
    def __init__(self):
        self.values, self.steps, self.figures, self.tagged, self.warned = {}, {}, {}, {}, []

    def metrics(self, values, step=None):
        if step is None:
            self.values.update(values)
        else:
            self.steps[step] = dict(values)

    def figure(self, figure, path):
        self.figures[path] = figure

    def tags(self, values):
        self.tagged.update(values)

    def warn(self, text):
        self.warned.append(text)


def test_the_recorder_hears_of_everything(world, tmp_path):
    store = world[0]
    entry = ChampionEntry(LIVE, np.arange(20), near(store, 0.5, seed=2)[:20])
    backtest = run(world, near(store, 0.1), entry)
    notes = Notes()
    with use(notes):
        record(store, backtest)
    found = backtest.evaluation
    assert notes.values["test_mae"] == found.models["candidate"].mae
    assert notes.values["test_skill"] == found.models["candidate"].skill
    assert notes.values["baseline_seasonal_naive_mae"] == found.models["seasonal_naive"].mae
    assert notes.values["champion_rmse"] == found.models["champion"].rmse
    assert sorted(notes.steps) == [1, 2, 3, 4]
    assert notes.steps[2]["test_horizon_rmse"] == found.per_horizon["candidate"].rmse[1]
    assert notes.steps[4]["baseline_ar_horizon_mae"] == found.per_horizon["ar"].mae[3]
    assert notes.tagged == {
        "verdict": found.verdict.summary,
        "blessed": "true",
        "winner": "candidate",
        "champion_version": "7",
    }
    assert set(notes.figures) == {
        f"figures/{n}.png"
        for n in (
            "forecast_newest",
            "forecast_best",
            "forecast_median",
            "forecast_worst",
            "error_by_horizon",
            "residuals",
        )
    }
    for path, figure in notes.figures.items():
        file = tmp_path / Path(path).name
        figure.savefig(file)
        assert file.stat().st_size > 5000
    lines = {
        line.get_label() for line in notes.figures["figures/error_by_horizon.png"].axes[0].lines
    }
    assert lines == {"candidate", "champion", "naive", "seasonal_naive", "ar"}


def test_best_median_and_worst_are_those_of_the_candidate(world):
    store = world[0]
    predictions = near(store, 1.0)
    chosen = extremes(store, run(world, predictions))
    losses = np.nanmean(np.abs(predictions - store.view("test").labels()), axis=(1, 2))
    ranked = sorted(losses)
    assert losses[chosen["best"]] == pytest.approx(ranked[0])
    assert losses[chosen["worst"]] == pytest.approx(ranked[-1])
    assert losses[chosen["median"]] == pytest.approx(ranked[(len(ranked) - 1) // 2])


def test_samples_hold_the_labels_and_forecasts_of_their_windows(world, tmp_path):
    store = world[0]
    predictions = near(store, 1.0)
    found = run(world, predictions)
    samples(store, found).save(tmp_path)
    kept = {window.label: window for window in Samples.load(tmp_path).windows}
    assert list(kept) == ["newest", "best", "median", "worst"]
    view = store.view("test")
    origins = store.time[view.origins]
    assert kept["newest"].origin == origins.max()
    for label, index in extremes(store, found).items():
        window = kept[label]
        assert window.origin == origins[index] == window.past[-1]
        step = window.past[-1] - window.past[-2]
        assert window.ahead == tuple(window.origin + step * (h + 1) for h in range(4))
        [target] = window.targets
        actual = np.array([np.nan if v is None else v for v in target.actual])
        np.testing.assert_allclose(actual, view.labels()[index, :, 0], rtol=1e-6)
        lines = {line.model: line.values for line in target.forecasts}
        assert set(lines) == {"candidate", found.evaluation.best_baseline}
        np.testing.assert_allclose(lines["candidate"], predictions[index, :, 0], rtol=1e-6)


def test_an_evaluation_of_an_earlier_version_has_no_samples(tmp_path):
    assert Samples.load(tmp_path).windows == ()


class Fake:
    carries_state = False

    def __init__(self, reason=None, usable=None, error=None):
        self.reason, self.mask, self.error = reason, usable, error

    def comparable(self, store):
        return self.reason

    def usable(self, view):
        return np.ones(len(view), bool) if self.mask is None else self.mask[: len(view)]

    def predict(self, view, batch_size=1024):
        if self.error:
            raise self.error
        return view.labels()


class FakeStream(Fake):
    """One that was trained to carry its state."""

    carries_state = True

    def predict_streaming(self, view):
        return -view.labels()


def saved_model(folder, content):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


def test_how_a_champion_enters(world, tmp_path):
    store = world[0]
    view = store.view("test")
    candidate = saved_model(tmp_path / "candidate", b"one")
    live = Champion("7", saved_model(tmp_path / "7", b"two"), "x")

    def entered(fake, champion=live):
        return enter(champion, candidate, view, lambda _: fake)

    whole = entered(Fake())
    assert (whole.reason, whole.same_model) == ("", False)
    np.testing.assert_array_equal(whole.predictions, view.labels())
    np.testing.assert_array_equal(entered(FakeStream()).predictions, -view.labels())
    mask = np.arange(len(view)) % 3 == 0
    part = entered(Fake(usable=mask))
    np.testing.assert_array_equal(part.index, np.flatnonzero(mask))
    np.testing.assert_array_equal(part.predictions, view.labels()[mask])
    assert f"{mask.sum()} of {len(view)} windows" in part.reason
    for fake, text in (
        (Fake(reason="its horizon is 9 steps"), "its horizon is 9 steps"),
        (Fake(usable=np.zeros(len(view), bool)), "more history"),
        (Fake(error=RuntimeError("broken\ngraph")), "it failed: RuntimeError: broken"),
    ):
        entry = entered(fake)
        assert entry.predictions is None
        assert text in entry.reason
        assert "\n" not in entry.reason
    gone = entered(Fake(), Champion("7", tmp_path / "gone", "x"))
    assert "is gone" in gone.reason
    same = entered(Fake(), Champion("7", saved_model(tmp_path / "8", b"one"), "x"))
    assert same.same_model
    assert same.predictions is None


def test_the_champion_parameter():
    assert Champion.parse("") is None
    text = json.dumps({"version": 1700000000, "path": "m/1700000000", "digest": "abc"})
    assert Champion.parse(text) == Champion("1700000000", Path("m/1700000000"), "abc")
    for bad in ("{", "[]", '{"version": 1}'):
        with pytest.raises(BadInputError, match="champion"):
            Champion.parse(bad)


def test_a_constant_series_leaves_mase_undefined_but_not_the_rest(tmp_path):
    store = make_store([("", 0, np.full(60, 3.0))], WindowSpec(lookback=6, horizon=2), (30, 40, 60))
    stored = forecast_baselines(store, BASELINES, tmp_path)
    predictions = store.view("test").labels() + np.float32(0.5)
    found = evaluate(
        store, predictions, stored, None, gate=GATE, scaling=scaling_of(store), season=6
    ).evaluation
    assert found.mase_left_out == 1
    assert found.models["candidate"].mase is None
    assert found.models["candidate"].mae == 0.5
    # Seasonal naive is perfect here: there is no skill to speak of.
    assert found.models["candidate"].skill is None
    assert not found.verdict.blessed
    assert not math.isnan(found.models["naive"].mae)
