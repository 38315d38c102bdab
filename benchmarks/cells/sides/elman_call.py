"""The export of Elman, its signatures called from Python: windows, or one step with its state."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import tensorflow as tf

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, read, windows
from benchmarks.cells.sides.calls import serve
from benchmarks.cells.sides.elman_export import export, names, stacked
from benchmarks.cells.sides.given import called, parser
from benchmarks.cells.sides.product import tensorflow_peak
from benchmarks.cells.work import Work


class Exported:
    """An exported forecaster, loaded.

    Args:
        work: The network.
        folder: The SavedModel.
    """

    def __init__(self, work: Work, folder: Path) -> None:
        self._loaded = tf.saved_model.load(str(folder))
        self._inputs, self._outputs = names(work, folder)
        self._state: dict[str, tf.Tensor] = {}

    def windows(self, rows: Floats) -> Floats:
        """Forecasts of windows [batch, steps, features]: [batch, horizon * features]."""
        return self._stacked(self._loaded.signatures["serving_default"](**self._columns(rows)))

    def restart(self) -> None:
        """Begins a new series."""
        self._state = self._loaded.signatures["stream_init"](batch=tf.constant(1))

    def step(self, row: Floats) -> Floats:
        """Forecasts after one more step [1, features]."""
        answer = self._loaded.signatures["stream_step"](**self._columns(row), **self._state)
        self._state = {name: answer[name] for name in self._state}
        return self._stacked(answer)

    def _columns(self, rows: Floats) -> dict[str, tf.Tensor]:
        # One way into TensorFlow for all columns: a tensor made of an array takes 20 microseconds.
        return dict(zip(self._inputs, tf.unstack(tf.constant(rows), axis=-1), strict=True))

    def _stacked(self, answer: dict[str, tf.Tensor]) -> Floats:
        return stacked([answer[name].numpy() for name in self._outputs])


def main() -> None:
    """Answers calls."""
    channel, given = Channel(), parser().parse_args()
    call = called(given)
    inputs, _ = windows(call.work, read(given.folder, SERIES)["series"])
    with TemporaryDirectory(dir=given.folder) as name:
        exported = Exported(call.work, export(call.work, given.folder, Path(name)))
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
