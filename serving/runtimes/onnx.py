"""`OnnxRuntime`: windows through ONNX Runtime, from the `model.onnx` of a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.runtimes.runtime import Array

FILE = "model.onnx"
SIGNATURE = "serving_default"
PREFIX = "forecast."
"""Before the names of outputs: in ONNX a column that is an input and an output needs two names."""
_QUIET = 3  # errors only


class OnnxRuntime:
    """A session of ONNX Runtime on the CPU.

    Args:
        file: `model.onnx`.
        threads: That share one call. With one, calls that run side by side do not wait for each
            other, and no thread spins between two calls.

    Raises:
        ImportError: If the package `onnxruntime` is not installed.
        onnxruntime.capi.onnxruntime_pybind11_state.Fail: Or another of its errors, if the file
            cannot be loaded.
    """

    def __init__(self, file: Path, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = frozenset(each.name for each in self._session.get_inputs())
        self.outputs = frozenset(
            each.name.removeprefix(PREFIX) for each in self._session.get_outputs()
        )

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """See `Runtime`."""
        feeds = {
            name: _text(array) if array.dtype.kind == "O" else array
            for name, array in inputs.items()
        }
        found: list[Array] = self._session.run([PREFIX + name for name in outputs], feeds)
        return found

    def close(self) -> None:
        """See `Runtime`."""
        self._session = None


def _text(array: Array) -> Array:
    """Bytes as ONNX Runtime takes them: text, of which no word is known that is not UTF-8."""
    made = np.empty(array.shape, object)
    made.flat[:] = [
        word.decode("utf-8", "replace") if isinstance(word, bytes) else word for word in array.flat
    ]
    return made
