from __future__ import annotations

import json

import numpy as np
import pytest

from components.baselines import forecast
from components.baselines.forecast import forecast_baselines
from components.baselines.stored import StoredBaselines
from components.tracking.recorder import SilentRecorder, use
from models.baselines.config import BaselinesConfig
from models.baselines.registry import build
from models.errors import BadInputError, FailedRunError
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.stores import make_store

CONFIG = BaselinesConfig(names=("ar", "naive", "seasonal_naive"), season=3)


class Notes(SilentRecorder):
    def __init__(self):
        self.seen, self.warnings = {}, []

    def params(self, values):
        self.seen.update(values)

    def metrics(self, values, step=None):
        self.seen.update(values)

    def warn(self, text):
        self.warnings.append(text)


def small(lookback=4):
    values = np.random.default_rng(0).normal(size=(90, 2)).cumsum(axis=0)
    return make_store(
        [("a", 0, values[:60]), ("b", 0, values[60:])],
        WindowSpec(lookback=lookback, horizon=3),
        (20, 24, 60),
    )


@pytest.mark.parametrize("chunk", [1, 40, 1 << 22])
def test_every_test_window_is_forecast_whatever_the_chunk(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(forecast, "CHUNK", chunk)
    store = small()
    notes = Notes()
    with use(notes):
        written = forecast_baselines(store, CONFIG, tmp_path / "out")
    stored = StoredBaselines.load(tmp_path / "out")
    assert stored == written
    assert stored.names == CONFIG.names
    assert (stored.windows, stored.season) == (len(store.view("test")), 3)
    for name in stored.names:
        baseline = build(name, CONFIG, 3)
        baseline.fit(store.view("train"), None)
        expected = baseline.predict(store.view("test"))
        found = stored.predictions(name)
        assert found.dtype == np.float32
        assert found.shape == (len(store.view("test")), 3, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert stored.seconds[name] > 0
        assert notes.seen[f"{name}_seconds"] == stored.seconds[name]
    assert stored.facts["ar"]["y0"]["order"] >= 0
    assert notes.seen["season"] == 3


def test_the_store_may_be_memory_mapped(tmp_path):
    store = small()
    store.save(tmp_path / "windows")
    a = forecast_baselines(store, CONFIG, tmp_path / "a")
    b = forecast_baselines(SeriesStore.load(tmp_path / "windows"), CONFIG, tmp_path / "b")
    for name in CONFIG.names:
        np.testing.assert_array_equal(a.predictions(name), b.predictions(name))


def test_want_of_history_is_told(tmp_path):
    store = make_store([("", 0, np.arange(30.0))], WindowSpec(lookback=2, horizon=1), (3, 4, 30))
    notes = Notes()
    config = BaselinesConfig(names=("seasonal_naive",), season=10)
    with use(notes):
        stored = forecast_baselines(store, config, tmp_path)
    missing = stored.facts["seasonal_naive"]["last_value_for_want_of_history"]
    # The first test origins are rows 3 to 8: ten steps before row 9 there is nothing.
    assert missing == 6
    assert "for 6 of 26 forecasts" in notes.warnings[0]


def test_no_test_window_is_bad_input_and_leaves_nothing(tmp_path):
    store = make_store([("", 0, np.arange(9.0))], WindowSpec(lookback=2, horizon=4), (6, 7, 9))
    with pytest.raises(BadInputError, match="no test window"):
        forecast_baselines(store, CONFIG, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ffnn_needs_train_windows(tmp_path):
    store = make_store([("", 0, np.arange(60.0))], WindowSpec(lookback=5, horizon=4), (4, 20, 60))
    with pytest.raises(BadInputError, match="no train window for the baseline ffnn"):
        forecast_baselines(store, BaselinesConfig(names=("ffnn",)), tmp_path / "out")


def test_an_unfinished_folder_is_refused(tmp_path):
    with pytest.raises(FailedRunError, match="no finished baselines"):
        StoredBaselines.load(tmp_path)
    forecast_baselines(small(), CONFIG, tmp_path)
    file = tmp_path / "baselines.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(FailedRunError, match="format 99"):
        StoredBaselines.load(tmp_path)


def test_what_can_be_served_is_exported_and_what_cannot_says_why(tmp_path):
    store = small()
    config = BaselinesConfig(names=("seasonal_naive", "naive", "ar"), season=7)
    plain = forecast_baselines(store, config, tmp_path / "plain")
    assert set(plain.refusals) == set(config.names)
    assert plain.model("naive") is None
    forecast_baselines(store, config, tmp_path / "out", {"run_id": "r"})
    stored = StoredBaselines.load(tmp_path / "out")
    folder = stored.model("naive")
    assert folder == tmp_path / "out" / "models" / "naive"
    assert (folder / "Format-Serving" / "saved_model.pb").is_file()
    assert (folder / "verification.npz").is_file()
    assert set(stored.refusals) == {"seasonal_naive", "ar"}
    assert "with a season of 7 steps it reads" in stored.refusals["seasonal_naive"]
    assert "a request does not say which series it is of" in stored.refusals["ar"]
    assert stored.model("ar") is None
    assert not (tmp_path / "out" / "models" / "ar").exists()
    for name in config.names:
        np.testing.assert_array_equal(stored.predictions(name), plain.predictions(name))
    assert stored.facts == plain.facts  # Exporting forecasts too, and is not counted.
