"""The export of Elman by another engine: windows by ONNX Runtime, carried steps by LiteRT."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tensorflow as tf

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, read, windows
from benchmarks.cells.recipes import CORES
from benchmarks.cells.sides.calls import serve
from benchmarks.cells.sides.elman_export import export, names, stacked
from benchmarks.cells.sides.given import called, parser
from benchmarks.cells.work import Work
from serving.runtimes.choose import runtimes_of
from serving.runtimes.runtime import EngineName

PACKAGES: dict[EngineName, str] = {"onnx": "onnxruntime", "litert": "ai-edge-litert"}


class Run:
    """What an engine runs of an export, loaded.

    Args:
        work: The network.
        folder: The SavedModel with the engine's file.
        engine: The engine.
    """

    def __init__(self, work: Work, folder: Path, engine: EngineName) -> None:
        (self._runtime,) = runtimes_of(engine, folder, CORES).values()
        self._inputs, self._outputs = names(work, folder)
        self._start = _start(folder) if engine == "litert" else {}
        self._state = self._start

    def windows(self, rows: Floats) -> Floats:
        """Forecasts of windows [batch, steps, features]: [batch, horizon * features]."""
        return stacked(self._runtime.run(self._columns(rows), self._outputs))

    def restart(self) -> None:
        """Begins a new series."""
        self._state = self._start

    def step(self, row: Floats) -> Floats:
        """Forecasts after one more step [1, features]."""
        asked = [*self._outputs, *self._state]
        found = self._runtime.run({**self._columns(row), **self._state}, asked)
        self._state = dict(zip(self._state, found[len(self._outputs) :], strict=True))
        return stacked(found[: len(self._outputs)])

    def _columns(self, rows: Floats) -> dict[str, Floats]:
        each = np.ascontiguousarray(rows.transpose(-1, *range(rows.ndim - 1)))
        return dict(zip(self._inputs, each, strict=True))


def _start(folder: Path) -> dict[str, Floats]:
    """The state before the first step, as the SavedModel gives it."""
    start = tf.saved_model.load(str(folder)).signatures["stream_init"](batch=tf.constant(1))
    return {name: value.numpy() for name, value in start.items()}


def main() -> None:
    """Answers calls."""
    with_engine = parser()
    with_engine.add_argument("--engine", choices=tuple(PACKAGES), required=True)
    channel, given = Channel(), with_engine.parse_args()
    call = called(given)
    inputs, _ = windows(call.work, read(given.folder, SERIES)["series"])
    with TemporaryDirectory(dir=given.folder) as name:
        folder = export(call.work, given.folder, Path(name), given.engine)
        exported = Run(call.work, folder, given.engine)
    package = PACKAGES[given.engine]
    serve(
        channel,
        call,
        inputs,
        exported.step if call.carried else exported.windows,
        exported.restart,
        lambda: {"versions": {package: version(package)}},
    )


if __name__ == "__main__":
    main()
