"""A sequence task of the examples, trained and scored by the functions that the pipeline calls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.forecasts import EXAMPLES, SECONDS
from components.sequences.ingest.ingest import ingest_sequences
from components.sequences.store.build import build_sequence_store
from components.tracking.recorder import SilentRecorder
from models.metrics.classification import ClassScores
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.store import SequenceStore
from pipeline.config import load
from pipeline.config.sequence_config import SequenceConfig

Figures = dict[str, float]


@dataclass(frozen=True)
class SequenceBench:
    """The sequences of an example.

    Attributes:
        config: The example.
        store: Its sequences.
        work: A folder for what trainings write.
    """

    config: SequenceConfig
    store: SequenceStore
    work: Path

    @classmethod
    def of(cls, name: str, work: Path) -> SequenceBench:
        """Reads the data of `examples/<name>.yaml`.

        Args:
            name: Of the example.
            work: An empty folder.
        """
        loaded = load(EXAMPLES / f"{name}.yaml")
        config = loaded.config
        if not isinstance(config, SequenceConfig):
            raise SystemExit(f"{loaded.path}: a forecast, expected a task over whole sequences")
        ingest_sequences(config.data, config.split, config.spec, loaded.folder, work / "examples")
        build_sequence_store(work / "examples", config.spec, work / "windows")
        return cls(config, SequenceStore.load(work / "windows"), work)

    def baselines(self) -> dict[str, Figures]:
        """By baseline, metrics on the test sequences and seconds to fit and predict."""
        from models.sequence_baselines.registry import build
        from models.sequences.predict import predict_core

        train, validation = self.store.view("train"), self.store.view("validation")
        found: dict[str, Figures] = {}
        for name in self.config.baselines.chosen(self.store.spec):
            began = time.perf_counter()
            core = build(name, self.config.baselines).fit(train, validation)
            scores = self.scores(predict_core(core, self.store.view("test")))
            found[name] = {**scores, SECONDS: time.perf_counter() - began}
        return found

    def train(self, model: SequenceModelConfig, train: SequenceTrainConfig) -> tuple[Any, Figures]:
        """Trains a network.

        Returns:
            The network as a core, and its metrics on the test sequences with the epochs and
            seconds it took.
        """
        from models.sequences.fit import fit_sequences
        from models.sequences.moments import train_moments
        from models.sequences.network import build_sequence_network
        from models.sequences.network_core import NetworkCore
        from models.sequences.predict import predict_core
        from models.training.machine import training_machine

        began, store = time.perf_counter(), self.store
        recorder = SilentRecorder()
        with training_machine(train, recorder):
            network = build_sequence_network(
                spec=store.spec,
                vocabularies=store.vocabularies,
                classes=len(store.classes),
                model=model,
                scaling=train_moments(store.view("train")),
                seed=train.seed,
            )
            history = fit_sequences(
                network,
                store.view("train"),
                store.view("validation"),
                train,
                checkpoints=self.work / "checkpoints" / f"{model.cell}-{train.seed}",
                recorder=recorder,
            )
        core = NetworkCore(network)
        figures = self.scores(predict_core(core, store.view("test")))
        return core, {
            **figures,
            "epochs": float(history.epochs_run),
            SECONDS: time.perf_counter() - began,
        }

    def scores(self, predictions: Any) -> Figures:
        """Metrics of predictions of the test sequences."""
        labels = self.store.view("test").labels()
        return ClassScores.of(labels, predictions, len(self.store.classes)).overall
