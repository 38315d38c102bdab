"""The export of Elman, its signatures called from Python: windows, or one step with its state."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, read, windows
from benchmarks.cells.sides.calls import serve
from benchmarks.cells.sides.elman_data import columns, forecaster, series_store
from benchmarks.cells.sides.given import called, parser
from benchmarks.cells.sides.product import tensorflow_peak
from benchmarks.cells.work import Work
from models.export.metadata import FILE
from models.export.saved_model import export_forecaster


class Exported:
    """An exported forecaster, loaded.

    Args:
        work: The network.
        folder: The SavedModel.
    """

    def __init__(self, work: Work, folder: Path) -> None:
        described: dict[str, Any] = json.loads((folder / FILE).read_text())
        self._loaded = tf.saved_model.load(str(folder))
        self._inputs = [described["inputs"][name] for name in columns(work)]
        self._outputs = [described["outputs"][name] for name in columns(work)]
        self._state: dict[str, tf.Tensor] = {}

    def windows(self, rows: Floats) -> Floats:
        """Forecasts of windows [batch, steps, features]: [batch, horizon * features]."""
        feed = {name: tf.constant(rows[..., i]) for i, name in enumerate(self._inputs)}
        return self._stacked(self._loaded.signatures["serving_default"](**feed))

    def restart(self) -> None:
        """Begins a new series."""
        self._state = self._loaded.signatures["stream_init"](batch=tf.constant(1))

    def step(self, row: Floats) -> Floats:
        """Forecasts after one more step [1, features]."""
        feed = {name: tf.constant(row[:, i]) for i, name in enumerate(self._inputs)}
        answer = self._loaded.signatures["stream_step"](**feed, **self._state)
        self._state = {name: answer[name] for name in self._state}
        return self._stacked(answer)

    def _stacked(self, answer: dict[str, tf.Tensor]) -> Floats:
        found = np.stack([answer[name].numpy() for name in self._outputs], axis=-1)
        return found.reshape(len(found), -1)


def main() -> None:
    """Answers calls."""
    channel, given = Channel(), parser().parse_args()
    call = called(given)
    inputs, _ = windows(call.work, read(given.folder, SERIES)["series"])
    with TemporaryDirectory(dir=given.folder) as name:
        store = series_store(call.work, given.folder, Path(name))
        export_forecaster(
            forecaster(call.work, store, given.folder),
            Path(name) / "export",
            spec=store.spec,
            roles=store.roles,
            frequency=store.frequency,
            metadata={},
        )
        exported = Exported(call.work, Path(name) / "export")
    channel.on("peak", tensorflow_peak)
    serve(
        channel,
        call,
        inputs,
        exported.step if call.carried else exported.windows,
        exported.restart if call.carried else lambda: None,
        lambda: {"versions": {"tensorflow": tf.__version__, "keras": keras.__version__}},
    )


if __name__ == "__main__":
    main()
