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
