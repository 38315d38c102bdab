"""The export of Elman that calls are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cells.data import Floats
from benchmarks.cells.sides.elman_data import columns, forecaster, series_store
from benchmarks.cells.work import Work
from models.export.engines import EngineName
from models.export.metadata import FILE
from models.export.saved_model import export_forecaster


def export(work: Work, folder: Path, scratch: Path, engine: EngineName = "tensorflow") -> Path:
    """Exports the forecaster of a work; returns the SavedModel, a folder in `scratch`.

    Args:
        work: The work.
        folder: Where its data is.
        scratch: Of this process alone.
        engine: Whose file is written beside the SavedModel.
    """
    store = series_store(work, folder, scratch)
    export_forecaster(
        forecaster(work, store, folder),
        scratch / "export",
        spec=store.spec,
        roles=store.roles,
        frequency=store.frequency,
        metadata={},
        engine=engine,
    )
    return scratch / "export"


def names(work: Work, exported: Path) -> tuple[list[str], list[str]]:
    """The tensors of the features, in their order, among the inputs and among the outputs."""
    described: dict[str, Any] = json.loads((exported / FILE).read_text())
    inputs, outputs = described["inputs"], described["outputs"]
    return [inputs[name] for name in columns(work)], [outputs[name] for name in columns(work)]


def stacked(found: Sequence[Floats]) -> Floats:
    """Forecasts [batch, horizon] of each feature as [batch, horizon * features], as every side
    gives them. By a copy and two views: `np.stack` takes as long as a step of LiteRT.
    """
    return np.array(found).transpose(1, 2, 0).reshape(len(found[0]), -1)
