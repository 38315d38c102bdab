"""`load`: a servable that has answered its warm-up requests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from serving.engine.servable import Servable, Threads
from serving.engine.warmup import replay
from serving.inference.logged import answer_logged

Loader = Callable[[str, int, Path], Servable]
"""Name, version and folder give a servable; called in a thread of its own."""


def loader(threads: Threads | None = None, *, warmup_iterations: int = 1) -> Loader:
    """A loader of SavedModels.

    Args:
        threads: Of TensorFlow.
        warmup_iterations: How often each warm-up request is run.
    """

    def load(name: str, version: int, path: Path) -> Servable:
        servable = Servable(name, version, path, threads)
        try:
            replay(path, partial(answer_logged, servable), iterations=warmup_iterations)
        except Exception:
            servable.close()
            raise
        return servable

    return load
