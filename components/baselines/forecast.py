"""Fits every baseline and forecasts every test window."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from components.baselines.marker import model_of
from components.baselines.stored import StoredBaselines, file_of
from components.tracking.recorder import current
from models.baselines.config import BaselinesConfig
from models.baselines.protocol import Baseline
from models.baselines.registry import build, season_of
from models.errors import BadInputError
from models.windows.store import SeriesStore
from models.windows.view import WindowView

CHUNK = 1 << 22
"""Forecast values held in memory at once."""


def forecast_baselines(
    store: SeriesStore,
    config: BaselinesConfig,
    folder: Path,
    metadata: Mapping[str, Any] | None = None,
) -> StoredBaselines:
    """Writes the forecasts of all configured baselines for the test windows of `store`.

    Each that can be served is exported too, so that the gate can bless it: see
    `models.export.baselines.export.export_baseline`.

    Args:
        store: The series; baselines are fitted to train rows only.
        config: Which baselines, and their settings.
        folder: Receives `predictions-<name>.npy` (float32 `[windows, horizon, targets]`, natural
            units), `models/<name>/` and, last, `baselines.json`; made if missing.
        metadata: Further keys for `elman.json` of each; None: none is exported.

    Raises:
        BadInputError: If there are no test windows, or no train windows for a baseline that
            learns from them.
    """
    test, recorder = store.view("test"), current()
    _require(store, config)
    folder.mkdir(parents=True, exist_ok=True)
    season = season_of(store, config.season)
    recorder.params({"season": season, **config.model_dump(mode="json", exclude={"season"})})
    facts: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    refusals: dict[str, str] = {}
    for done, name in enumerate(config.names):
        recorder.progress(done, len(config.names), {})
        began = time.perf_counter()
        baseline = build(name, config, season)
        baseline.fit(store.view("train"), store.view("validation"))
        _write(baseline, test, folder / file_of(name))
        seconds[name] = time.perf_counter() - began
        facts[name] = baseline.describe()
        _report(name, facts[name], seconds[name])
        if reason := _export(baseline, store, model_of(folder, name), metadata):
            refusals[name] = reason
    recorder.progress(len(config.names), len(config.names), {})
    stored = StoredBaselines(folder, len(test), season, facts, seconds, refusals)
    stored.save_marker()
    recorder.data({name: facts[name] for name in facts}, "baselines.json")
    return stored


def _require(store: SeriesStore, config: BaselinesConfig) -> None:
    advice = (
        "use a shorter window.lookback or window.horizon, a larger split, or more data "
        f"(one window needs {store.spec.span} steps without a hole)"
    )
    if len(store.view("test")) == 0:
        raise BadInputError(f"there is no test window to score baselines on: {advice}")
    if "ffnn" in config.names and len(store.view("train")) == 0:
        raise BadInputError(f"there is no train window for the baseline ffnn: {advice}")


def _write(baseline: Baseline, view: WindowView, path: Path) -> None:
    store = view.store
    shape = (len(view), store.spec.horizon, len(store.roles.targets))
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    size = max(1, CHUNK // (shape[1] * shape[2]))
    for start in range(0, len(view), size):
        part = WindowView(store, view.origins[start : start + size])
        out[start : start + size] = baseline.predict(part)
    out.flush()


def _export(
    baseline: Baseline, store: SeriesStore, folder: Path, metadata: Mapping[str, Any] | None
) -> str:
    """Why it cannot be served; empty if it was exported."""
    if metadata is None:
        return "it was not exported"
    from models.export.baselines.export import export_baseline

    refusal = export_baseline(baseline, store, folder, metadata)
    if refusal is None:
        return ""
    current().tags({f"elman.not_servable.{baseline.name}": refusal.reason})
    return refusal.reason


def _report(name: str, facts: dict[str, Any], seconds: float) -> None:
    recorder = current()
    recorder.metrics({f"{name}_seconds": seconds})
    missing = facts.get("last_value_for_want_of_history", 0)
    if missing:
        recorder.warn(
            f"seasonal naive found no value a season of {facts['season']} steps back for "
            f"{missing} of {facts['forecasts']} forecasts and repeated the last value there; a "
            "shorter baselines.season or more history avoids that"
        )
