"""A forecast of the examples, trained and scored by the functions that the pipeline calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.spread import Spread
from components.backtest.champion import forecasts
from components.backtest.evaluate import evaluate
from components.baselines.forecast import forecast_baselines
from components.baselines.stored import StoredBaselines
from components.ingest.ingest import ingest
from components.tracking.recorder import SilentRecorder
from components.windows.build import build_store
from models.features.scaling import Scaling
from models.network.config import ModelConfig
from models.training.config import TrainConfig
from models.windows.store import SeriesStore
from pipeline.config import LoadedConfig, load
from pipeline.config.config import Config

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SECONDS = "seconds"


@dataclass(frozen=True)
class ForecastBench:
    """The windows of an example, with the forecasts of its baselines.

    Attributes:
        config: The example.
        store: Its windows.
        scaling: Moments of the train rows.
        baselines: Fitted, with their forecasts.
        work: A folder for what trainings write.
    """

    config: Config
    store: SeriesStore
    scaling: Scaling
    baselines: StoredBaselines
    work: Path

    @classmethod
    def of(cls, name: str, work: Path) -> ForecastBench:
        """Reads the data of `examples/<name>.yaml` and fits the baselines.

        Args:
            name: Of the example.
            work: An empty folder.
        """
        loaded = load(EXAMPLES / f"{name}.yaml")
        config = loaded.forecast
        store = windows(loaded, work)
        baselines = forecast_baselines(store, config.baselines, work / "baselines")
        return cls(config, store, moments(store), baselines, work)

    def train(
        self, label: str, model: ModelConfig, train: TrainConfig
    ) -> dict[str, dict[str, float]]:
        """Trains and exports a network; by model, metrics on the test windows and seconds.

        Args:
            label: What to call the network, beside the names of the baselines.
            model: The network.
            train: Its training.
        """
        from components.train.train import train_forecaster
        from models.baselines.registry import season_of
        from models.export.loaded import LoadedForecaster

        began = time.perf_counter()
        folder = self.work / f"{label}-{train.seed}"
        done = train_forecaster(
            self.store,
            self.scaling,
            model,
            train,
            folder,
            checkpoints=self.work / "checkpoints" / folder.name,
            metadata={},
            recorder=SilentRecorder(),
        )
        seconds = {**self.baselines.seconds, label: time.perf_counter() - began}
        backtest = evaluate(
            self.store,
            forecasts(LoadedForecaster(done.saved_model), self.store.view("test")),
            self.baselines,
            None,
            gate=self.config.gate,
            scaling=self.scaling,
            season=season_of(self.store, self.config.baselines.season),
        )
        found = {}
        for name, scores in backtest.scores.items():
            own = label if name == "candidate" else name
            found[own] = {**scores.overall(), SECONDS: seconds[own]}
        return found


class Table:
    """Figures by model, each with a value per seed; a baseline has no seed and one value."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, list[float]]] = {}

    def add(self, found: Mapping[str, Mapping[str, float]], seeded: str) -> None:
        """Adds what one training found; models other than `seeded` are kept once."""
        for model, values in found.items():
            if model != seeded and model in self.figures:
                continue
            for metric, value in values.items():
                self.figures.setdefault(model, {}).setdefault(metric, []).append(value)

    def spread(self, model: str, metric: str) -> Spread:
        """A figure over its seeds."""
        return Spread(tuple(self.figures[model][metric]))

    def json(self) -> dict[str, Any]:
        """Everything."""
        return {
            model: {metric: self.spread(model, metric).json() for metric in metrics}
            for model, metrics in self.figures.items()
        }


def windows(loaded: LoadedConfig, work: Path) -> SeriesStore:
    """Ingests the data of a forecast into `work/examples` and makes its windows, `work/windows`."""
    config = loaded.forecast
    report = ingest(config.data, config.split, config.roles, loaded.folder, work / "examples")
    build_store(
        work / "examples",
        report.boundaries,
        config.window,
        config.roles,
        config.data.gaps,
        config.data.frequency,
        work / "windows",
    )
    return SeriesStore.load(work / "windows")


def moments(store: SeriesStore) -> Scaling:
    """Mean and deviation of each column over the observed train rows, as the statistics node's."""
    train = np.asarray(store.time) < store.boundaries[1]
    found: dict[str, tuple[float, float]] = {}
    for i, name in enumerate(store.roles.dynamic):
        values: Any = np.asarray(store.values)[train & np.asarray(store.observed)[:, i], i]
        found[name] = (float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64)))
    return Scaling.of(found)
