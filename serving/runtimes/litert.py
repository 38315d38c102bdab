"""`LiteRtRuntime`: steps of streams through LiteRT, from the `step.tflite` of a version."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue(_IDLE)
        first = self._made()
        self.inputs = frozenset(first.get_input_details())
        self.outputs = frozenset(first.get_output_details())
        self._idle.put(first)

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """See `Runtime`."""
        with self._one() as runner:
            found = runner(**inputs)
            return [found[name] for name in outputs]

    def close(self) -> None:
        """See `Runtime`."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait()

    @contextlib.contextmanager
    def _one(self) -> Iterator[Any]:
        try:
            runner = self._idle.get_nowait()
        except queue.Empty:
            runner = self._made()
        yield runner  # one that fails is not put back
        with contextlib.suppress(queue.Full):
            self._idle.put_nowait(runner)

    def _made(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=self._content, num_threads=1)
        return interpreter.get_signature_runner()
