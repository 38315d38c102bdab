"""The arrays of a work as the stores that Elman trains on."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from benchmarks.cells.data import SERIES, read, read_weights
from benchmarks.cells.work import Work
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Roles
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from models.training.checkpoints import assign
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from models.windows.writer import StoreWriter

HOUR = 3600


def columns(work: Work) -> tuple[str, ...]:
    """Names of the features."""
    return tuple(f"c{i}" for i in range(work.features))


def unit_scaling(work: Work) -> Scaling:
    """Leaves every column as it is."""
    return Scaling.of(dict.fromkeys(columns(work), (0.0, 1.0)))


def series_store(work: Work, folder: Path, scratch: Path) -> SeriesStore:
    """Windows of a forecast: those of `data.windows` for training, one batch for validation.

    Args:
        work: The work.
        folder: Where its data is.
        scratch: Where the store goes: a folder of this process alone.
    """
    series = read(folder, SERIES)["series"]
    spec = WindowSpec(lookback=work.steps, horizon=work.horizon)
    end = work.turn * work.batch + spec.span - 1
    validation = end + work.batch + work.horizon - 1
    boundaries = (0, end * HOUR, validation * HOUR, len(series) * HOUR)
    writer = StoreWriter(
        scratch / "store", spec, Roles(targets=columns(work)), "h", boundaries, "linear"
    )
    writer.extend(series, np.ones(series.shape, np.bool_), np.arange(len(series)) * HOUR)
    writer.end_segment(0)
    store = writer.finish(("",), {})
    found = len(store.view("train")), len(store.view("validation"))
    assert found == (work.turn * work.batch, work.batch), found
    return store


def forecaster(work: Work, store: SeriesStore, folder: Path) -> keras.Model:
    """The network of a forecast of all columns, with the weights that all sides start from."""
    network = build_forecaster(
        spec=store.spec,
        roles=store.roles,
        model=ModelConfig(cell=work.cell, units=(work.units,)),
        scaling=unit_scaling(work),
        frequency="h",
        seed=7,
    )
    assign(network.trainable_variables, read_weights(folder), "start")
    return network


def sequence_store(work: Work, folder: Path) -> SequenceStore:
    """Sequences to classify: those of `data.padded` for training, one batch for validation."""
    arrays = read(folder, SERIES)
    lengths, train = arrays["lengths"], work.turn * work.batch
    inputs = SequenceInputs(numbers=columns(work))
    return SequenceStore(
        spec=SequenceSpec(task="classify", inputs=inputs, target="class"),
        ids=tuple(f"s{i}" for i in range(len(lengths))),
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        splits={
            "train": (0, train),
            "validation": (train, len(lengths)),
            "test": (len(lengths), len(lengths)),
        },
        numbers=arrays["numbers"],
        codes={},
        symbols={},
        texts=(),
        vocabularies={},
        classes=tuple(f"k{i}" for i in range(work.outputs)),
        labels=arrays["labels"],
    )
