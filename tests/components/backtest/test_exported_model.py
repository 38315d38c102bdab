"""Candidate and champion as they really are: exported SavedModels, one with a longer past."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from components.backtest.champion import Champion, enter
from components.backtest.config import GateConfig
from components.backtest.evaluate import evaluate
from components.baselines.forecast import forecast_baselines
from models.baselines.config import BaselinesConfig
from models.export.loaded import LoadedForecaster
from models.windows.spec import WindowSpec
from tests.stores import make_store, scaling_of


def export(store, spec, folder: Path, seed: int) -> Path:
    from models.export.saved_model import export_forecaster
    from models.network.build import build_forecaster
    from models.network.config import ModelConfig

    model = build_forecaster(
        spec=spec,
        roles=store.roles,
        model=ModelConfig(cell="simple_rnn", units=(3,)),
        scaling=scaling_of(store),
        frequency=store.frequency,
        seed=seed,
    )
    export_forecaster(
        model, folder, spec=spec, roles=store.roles, frequency=store.frequency, metadata={}
    )
    return folder


def test_exported_models_are_scored_on_common_windows(tmp_path):
    values = np.random.default_rng(0).normal(size=160).cumsum()
    spec = WindowSpec(lookback=6, horizon=3)
    # The second segment begins inside the test range: its first windows lack a longer past.
    store = make_store([("", 0, values[:110]), ("", 115, values[110:])], spec, (60, 80, 170))
    view = store.view("test")
    candidate = export(store, spec, tmp_path / "candidate", 1)
    longer = export(store, WindowSpec(lookback=20, horizon=3), tmp_path / "longer", 2)
    other = export(store, WindowSpec(lookback=6, horizon=4), tmp_path / "other", 3)
    stored = forecast_baselines(store, BaselinesConfig(names=("seasonal_naive", "ar")), tmp_path)
    entries = {
        path.name: enter(Champion("1", path, "d"), candidate, view, LoadedForecaster)
        for path in (candidate, longer, other)
    }
    assert entries["candidate"].same_model
    assert "horizon is 4" in entries["other"].reason
    entry = entries["longer"]
    starts = store.first_of(view.origins)
    np.testing.assert_array_equal(entry.index, np.flatnonzero(view.origins - 19 >= starts))
    assert 0 < len(entry.index) < len(view)
    forecaster = LoadedForecaster(candidate)
    found = evaluate(
        store,
        forecaster.predict(view),
        stored,
        entry,
        gate=GateConfig(),
        scaling=scaling_of(store),
        season=2,
    ).evaluation
    assert found.models["champion"].windows == len(entry.index)
    again = forecaster.predict(view.take(entry.index))
    errors = np.abs(again - view.take(entry.index).labels())
    np.testing.assert_allclose(found.champion.candidate.mae, errors.mean(), rtol=1e-5)


def test_a_champion_is_scored_anew_on_the_newest_windows(tmp_path):
    import tensorflow as tf

    spec = WindowSpec(lookback=6, horizon=3)
    values = np.random.default_rng(1).normal(size=200).cumsum().astype(np.float32)
    values[150:] += 30.0  # a level that the champion has never seen
    old = make_store([("", 0, values[:120])], spec, (60, 80, 120))
    new = make_store([("", 0, values)], spec, (130, 150, 200))
    champion = export(old, spec, tmp_path / "champion", 1)
    candidate = export(new, spec, tmp_path / "candidate", 2)
    found = {}
    for name, store in (("old", old), ("new", new)):
        view = store.view("test")
        entry = enter(Champion("1", champion, "d"), candidate, view, LoadedForecaster)
        found[name] = evaluate(
            store,
            LoadedForecaster(candidate).predict(view),
            forecast_baselines(store, BaselinesConfig(names=("naive",)), tmp_path / name),
            entry,
            gate=GateConfig(beats=("naive",)),
            scaling=scaling_of(store),
            season=2,
        ).evaluation.models["champion"]
    # By hand: the served model, asked for one window after the other of the raw series.
    serve = tf.saved_model.load(str(champion)).signatures["serving_default"]
    for name, first, last in (("old", 80, 120), ("new", 150, 200)):
        errors = []
        for label in range(first, last - 2):  # the first label of a window
            window = tf.constant(values[None, label - 6 : label])
            [forecast] = serve(y0=window).values()
            errors.append(np.abs(forecast.numpy()[0] - values[label : label + 3]).mean())
        assert found[name].windows == len(errors)
        np.testing.assert_allclose(found[name].mae, np.mean(errors), rtol=1e-4)
    assert found["new"].mae > 2 * found["old"].mae
