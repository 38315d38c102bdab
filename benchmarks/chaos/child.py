"""Runs in children of this process, which has imported TensorFlow and TFX and used neither.

A run is a process group of its own, so that a kill takes with it what the run has started, and
costs no import.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 900.0


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        killed: Whether it was killed before it had ended by itself.
        node: The component that was running then, or "" before the first.
        seconds: How long it ran.
        spent: Seconds by component, of those that were finished.
        found: What it found; None if it was killed.
    """

    killed: bool
    node: str
    seconds: float
    spent: dict[str, float]
    found: dict[str, Any] | None


def warm_up() -> None:
    """Imports what a run needs, once, and uses nothing of it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from components.tracking import library

    library.load()
    import pipeline.dag
    import pipeline.runner.execute
    import pipeline.runner.run  # noqa: F401


def run(config: Path, folder: Path, due: Callable[[str, float], bool] | None = None) -> Ended:
    """Runs the pipeline once.

    Args:
        config: The configuration file.
        folder: For the words of the run.
        due: Asked all the time whether to kill now, with the component that runs and the seconds
            since it started; None: never.
    """
    answer, screen = folder / "answer.json", folder / "screen.txt"
    answer.unlink(missing_ok=True)
    screen.write_text("")
    process = _start(_pipeline, config, answer, screen)
    begun = since = time.monotonic()
    done: dict[str, float] = {}
    killed = False
    while process.is_alive():
        for node in _finished(screen):
            if node not in done:
                done[node] = time.monotonic() - since
                since = time.monotonic()
        node = _after(list(done), screen)
        if time.monotonic() - begun > LONGEST or (
            due is not None and due(node, time.monotonic() - since)
        ):
            assert process.pid is not None
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            killed = True
            break
        process.join(0.005)
    found = None if killed or not answer.exists() else json.loads(answer.read_text())
    if not killed and found is None:
        found = {"status": "died", "text": f"exit code {process.exitcode}"}
    return Ended(killed, _after(list(done), screen), time.monotonic() - begun, done, found)


def call(function: Callable[[Path], None], argument: Path, folder: Path) -> str:
    """Calls `function(argument)` in a child; returns what was wrong, or ""."""
    words = folder / "called.txt"
    words.write_text("")
    process = _start(_called, function, argument, words)
    process.join(LONGEST)
    if process.is_alive():
        process.kill()
    return words.read_text() or ("" if process.exitcode == 0 else f"exit {process.exitcode}")


def _start(target: Callable[..., None], *arguments: Any) -> Any:
    sys.stdout.flush()
    sys.stderr.flush()
    ready = multiprocessing.get_context("fork").Event()
    process = multiprocessing.get_context("fork").Process(
        target=_alone, args=(ready, target, *arguments)
    )
    process.start()
    ready.wait(60)  # a group of its own: a kill of the group must not be one of ours
    return process


def _alone(ready: Any, target: Callable[..., None], *arguments: Any) -> None:
    os.setsid()
    ready.set()
    target(*arguments)


def _pipeline(config: Path, answer: Path, screen: Path) -> None:
    from models.errors import ElmanError
    from pipeline.config import load
    from pipeline.runner.run import run_pipeline

    found: dict[str, Any]
    with screen.open("a", buffering=1) as terminal:
        try:
            result = run_pipeline(load(config), terminal=terminal)
            found = {"status": "finished", "text": result.model_dump_json()}
        except ElmanError as error:
            found = {"status": "failed", "text": str(error)}
        except BaseException:
            found = {"status": "crashed", "text": traceback.format_exc()}
    answer.write_text(json.dumps(found))


def _called(function: Callable[[Path], None], argument: Path, words: Path) -> None:
    try:
        function(argument)
    except BaseException as error:
        words.write_text(f"{type(error).__name__}: {error}")


NODES = (
    "ingest", "statistics", "schema", "validate", "windows", "baselines", "train", "backtest",
    "serving_check", "push",
)  # fmt: skip


def _finished(screen: Path) -> list[str]:
    words = (line.split() for line in screen.read_text().splitlines())
    return [w[1] for w in words if len(w) > 1 and w[0] == "✓"]


def _after(done: list[str], screen: Path) -> str:
    """The component that runs when `done` have finished; "start" before the first."""
    if not screen.read_text():
        return "start"
    left = [node for node in NODES if node not in done]
    return left[0] if left else "end"
