"""`OnnxRuntime`: windows through ONNX Runtime, from the `model.onnx` of a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from serving.runtimes.runtime import Array

FILE = "model.onnx"
SIGNATURE = "serving_default"
PREFIX = "forecast."
"""Before the names of outputs: in ONNX a column that is an input and an output needs two names."""
ROWS = 32
"""Most rows of a run, whose numbers then stay in the cache of a core."""
_QUIET = 3  # errors only


class OnnxRuntime:
    """A session of ONNX Runtime on the CPU.

    A call of up to `ROWS` rows runs in the thread that asks, and waits for no other. A larger one
    is cut into equal parts, which threads of the runtime's own take side by side: faster than
    threads that share every operation, and no thread spins between two calls.

    Args:
        file: `model.onnx`; no row of it depends on another.
        threads: For the parts of all large calls together.

    Raises:
        ImportError: If the package `onnxruntime` is not installed.
        onnxruntime.capi.onnxruntime_pybind11_state.Fail: Or another of its errors, if the file
            cannot be loaded.
    """

    def __init__(self, file: Path, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        self._session: Any = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = frozenset(each.name for each in self._session.get_inputs())
        self.outputs = frozenset(
            each.name.removeprefix(PREFIX) for each in self._session.get_outputs()
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="onnx")

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """See `Runtime`."""
        feeds = {
            name: _text(array) if array.dtype.kind == "O" else array
            for name, array in inputs.items()
        }
        names = [PREFIX + name for name in outputs]
        sizes = {len(array) for array in feeds.values()}
        rows = max(sizes)
        if rows <= ROWS or len(sizes) > 1:  # of unequal sizes the session says what is wrong
            found: list[Array] = self._session.run(names, feeds)
            return found
        count = -(-rows // ROWS)
        cuts = pairwise(rows * part // count for part in range(count + 1))
        parts = [{name: array[a:b] for name, array in feeds.items()} for a, b in cuts]
        answers = self._threads.map(partial(self._session.run, names), parts)
        return [np.concatenate(each) for each in zip(*answers, strict=True)]

    def close(self) -> None:
        """See `Runtime`."""
        self._threads.shutdown()
        self._session = None


def _text(array: Array) -> Array:
    """Bytes as ONNX Runtime takes them: text, of which no word is known that is not UTF-8."""
    made = np.empty(array.shape, object)
    made.flat[:] = [
        word.decode("utf-8", "replace") if isinstance(word, bytes) else word for word in array.flat
    ]
    return made
