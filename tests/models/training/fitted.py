"""Trains the tiny network of these tests; also run by itself, to be killed.

python -m tests.models.training.fitted FOLDER        trains until SIGKILL after epoch 3
python -m tests.models.training.fitted mirrored      one device against two, prints JSON
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.training.config import ClipConfig, ScheduleConfig, TrainConfig
from models.training.fit import fit_forecaster
from models.training.history import TrainingHistory
from models.training.machine import training_machine
from models.windows.store import SeriesStore
from tests.models.training.conftest import Ear, waves
from tests.stores import scaling_of

DEFAULT = ModelConfig(cell="simple_rnn", units=(8,), dropout=0.2)
RESUMED = TrainConfig(
    epochs=5,
    batch_size=64,
    learning_rate=0.01,
    patience=4,
    min_delta=0.5,
    schedule=ScheduleConfig(kind="plateau", patience=1, warmup=0.5),
)
"""`min_delta` is never met after the first epochs, so patience and plateau have state to keep."""


def fit(
    store: SeriesStore,
    config: TrainConfig,
    folder: Path,
    ear: Ear,
    model: ModelConfig = DEFAULT,
    scaling: Scaling | None = None,
) -> tuple[TrainingHistory, Any]:
    """The history and the trained network."""
    scaling = scaling_of(store) if scaling is None else scaling
    with training_machine(config, ear):
        network = build_forecaster(
            spec=store.spec,
            roles=store.roles,
            model=model,
            scaling=scaling,
            frequency=store.frequency,
            seed=config.seed,
        )
        history = fit_forecaster(
            network,
            store.view("train"),
            store.view("validation"),
            config,
            scaling,
            checkpoints=folder,
            recorder=ear,
        )
    return history, network


class _Killer(Ear):
    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        if step == 3:  # trained, not yet written
            os.kill(os.getpid(), signal.SIGKILL)


def _mirrored() -> None:
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    two = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    config = TrainConfig(
        epochs=2, batch_size=48, clip=ClipConfig(norm=0.05), weight_decay=0.01, optimizer="sgd"
    )
    plain = DEFAULT.model_copy(update={"dropout": 0.0})  # two devices draw two masks
    found = []
    for strategy in (None, two):
        folder = Path(tempfile.mkdtemp())
        if strategy is None:
            history, network = fit(waves(), config, folder, Ear(), plain)
        else:
            with strategy.scope():
                history, network = fit(waves(), config, folder, Ear(), plain)
        weights = [w.tolist() for w in network.get_weights()]
        devices = network.distribute_strategy.num_replicas_in_sync
        found.append({"epochs": history.epochs, "weights": weights, "devices": devices})
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1] == "mirrored":
        _mirrored()
    else:
        fit(waves(), RESUMED, Path(sys.argv[1]), _Killer())
