"""`LiteRtRuntime`: steps of streams through LiteRT, from the `step.tflite` of a version."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from serving.runtimes.runtime import Array

FILE = "step.tflite"
SIGNATURE = "stream_step"
_IDLE = 8
"""Interpreters that are kept while nobody uses them."""


class LiteRtRuntime:
    """Interpreters of LiteRT on the CPU, one for each call that runs at the same time.

    An interpreter may be used by one thread at a time, and keeps the number of rows of its last
    call, with which the next one costs nothing but the arithmetic.

    Args:
        file: `step.tflite`.

    Raises:
        ImportError: If the package `ai-edge-litert` is not installed.
        ValueError: If the file cannot be loaded.
    """

    def __init__(self, file: Path) -> None:
        self._content = file.read_bytes()
        self._idle: deque[_Interpreter] = deque(maxlen=_IDLE)  # which threads may share
        first = _Interpreter(self._content)
        self.inputs = frozenset(first.inputs)
        self.outputs = frozenset(first.outputs)
        self._idle.append(first)

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """See `Runtime`."""
        try:
            interpreter = self._idle.pop()
        except IndexError:
            interpreter = _Interpreter(self._content)
        found = interpreter.run(inputs, outputs)  # one that fails is not put back
        self._idle.append(interpreter)
        return found

    def close(self) -> None:
        """See `Runtime`."""
        self._idle.clear()


class _Interpreter:
    """An interpreter and what it was last fed; for one thread at a time.

    LiteRT's own runner of signatures gives it the shapes anew at every call, which takes as long as
    the arithmetic of a small step.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=1)
        runner = self._interpreter.get_signature_runner()
        self.inputs = {k: int(v["index"]) for k, v in runner.get_input_details().items()}
        self.outputs = {k: int(v["index"]) for k, v in runner.get_output_details().items()}
        self._rows = 0

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        rows = len(next(iter(inputs.values())))
        if rows != self._rows:
            for name, index in self.inputs.items():
                self._interpreter.resize_tensor_input(index, inputs[name].shape)
            self._interpreter.allocate_tensors()
            self._rows = rows
        for name, index in self.inputs.items():
            self._interpreter.set_tensor(index, inputs[name])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self.outputs[name]) for name in outputs]
