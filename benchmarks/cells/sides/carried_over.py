"""Half of the proof that an export is portable: `train` on a device, `load` on a CPU."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.cells import data
from benchmarks.cells.data import SERIES, Floats, read, windows
from benchmarks.cells.sides.elman_call import Exported
from benchmarks.cells.sides.elman_data import forecaster, series_store, unit_scaling
from benchmarks.cells.work import Work
from components.tracking.recorder import SilentRecorder
from models.export.portable import exact_float32
from models.export.saved_model import export_forecaster
from models.training.config import TrainConfig
from models.training.fit import fit_forecaster
from models.training.machine import training_machine

SHOWN = 64
"""Windows whose forecasts are compared."""


def train(work: Work, folder: Path, device: Any) -> None:
    """Trains for an epoch on `device`, exports, and keeps what the network forecasts there."""
    data.write(work, folder)
    store = series_store(work, folder, folder)
    config = TrainConfig(epochs=1, batch_size=work.batch, devices=device)
    with training_machine(config, SilentRecorder()):
        network = forecaster(work, store, folder)
        fit_forecaster(
            network,
            store.view("train"),
            store.view("validation"),
            config,
            unit_scaling(work),
            checkpoints=folder / "checkpoints",
            recorder=SilentRecorder(),
        )
        batch = store.view("train").take(np.arange(SHOWN)).gather()
        with exact_float32():
            answer = network({name: tf.constant(v) for name, v in batch.past.items()})
        found = np.stack([answer[name].numpy() for name in store.roles.targets], axis=-1)
    np.savez(folder / "forecasts.npz", found.reshape(SHOWN, -1))
    export_forecaster(
        network,
        folder / "export",
        spec=store.spec,
        roles=store.roles,
        frequency=store.frequency,
        metadata={},
    )


def load(work: Work, folder: Path) -> dict[str, Any]:
    """Compares the forecasts of the export with those kept."""
    assert not tf.config.list_physical_devices("GPU"), "this half runs without a GPU"
    inputs: Floats = windows(work, read(folder, SERIES)["series"])[0][:SHOWN]
    kept = read(folder, "forecasts.npz")["arr_0"]
    found = Exported(work, folder / "export").windows(inputs)
    graph = tf.saved_model.load(str(folder / "export")).signatures["serving_default"].graph
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    return {
        "difference": float(np.abs(found - kept).max()),
        "cudnn": sorted({n.op for n in nodes if "cudnn" in n.op.lower()}),
    }


def main() -> None:
    """Runs one half."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("train", "load"))
    parser.add_argument("cell", choices=("lstm", "gru", "simple_rnn"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("device", choices=("cpu", "gpu"))
    given = parser.parse_args()
    work = Work("portable", given.cell, 64, 64, turn=20)
    if given.part == "train":
        train(work, given.folder, given.device)
    else:
        print(json.dumps(load(work, given.folder)))


if __name__ == "__main__":
    main()
