"""`load`: a servable that has answered its warm-up requests."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from serving.engine.failure import failure
from serving.engine.servable import Servable, Threads
from serving.engine.warmup import replay
from serving.inference.logged import answer_logged
from serving.runtimes.choose import runtimes_of
from serving.runtimes.runtime import EngineName

Loader = Callable[[str, int, Path], Servable]
"""Name, version and folder give a servable; called in a thread of its own."""
_log = logging.getLogger(__name__)


def loader(
    threads: Threads | None = None,
    *,
    warmup_iterations: int = 1,
    engine: EngineName = "tensorflow",
) -> Loader:
    """A loader of SavedModels.

    Args:
        threads: Of TensorFlow.
        warmup_iterations: How often each warm-up request is run.
        engine: What runs the signatures that it can; TensorFlow runs the others, and all of a
            version that brings no file for the engine.
    """

    def load(name: str, version: int, path: Path) -> Servable:
        servable = opened(name, version, path, threads, engine)
        try:
            replay(path, partial(answer_logged, servable), iterations=warmup_iterations)
        except Exception:
            servable.close()
            raise
        return servable

    return load


def opened(
    name: str, version: int, path: Path, threads: Threads | None, engine: EngineName
) -> Servable:
    """A servable with the runtimes of an engine, not warmed up yet.

    Raises:
        ServingError: If the model or the engine's file cannot be loaded.
    """
    try:
        cores = len(os.sched_getaffinity(0))
        runtimes = runtimes_of(engine, path, (threads or Threads()).intra_op or cores)
    except Exception as error:
        raise failure(error, hide=[path.parent, path]) from error
    if engine != "tensorflow":
        how = f"{engine} runs {', '.join(runtimes)}" if runtimes else f"it has no file for {engine}"
        _log.info("model %s version %s: %s, TensorFlow runs the rest", name, version, how)
    return Servable(name, version, path, threads, runtimes)
