"""`Side`: a process that does a work when asked."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cells.recipes import Recipe

ROOT = Path(__file__).resolve().parent.parent.parent


class SideFailedError(RuntimeError):
    """A side's process ended, or answered nonsense; its own words are on standard error."""


class Side:
    """A worker process; use as a context manager.

    Args:
        recipe: What it is.
        python: The interpreter it runs under.
        arguments: Work, folder and device, as every worker takes them.
        words: Where its standard error goes.
    """

    def __init__(self, recipe: Recipe, python: Path, arguments: Sequence[str], words: Path) -> None:
        self.recipe = recipe
        self._words = words
        command = [str(python), "-m", f"benchmarks.cells.sides.{recipe.module}"]
        with words.open("a") as file:
            self._process = subprocess.Popen(
                [*command, *arguments, *recipe.arguments],
                cwd=ROOT,
                env=environment(os.environ, recipe.environment, arguments[-1]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, question: str) -> dict[str, Any]:
        """Asks and waits for the answer.

        Raises:
            SideFailedError: If the process ends instead.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            tail = "\n".join(self._words.read_text(errors="replace").splitlines()[-15:])
            raise SideFailedError(f"{self.recipe.name}: ended at {question!r}. Its words:\n{tail}")
        return dict(json.loads(line))


def environment(outer: Mapping[str, str], recipe: Mapping[str, str], device: str) -> dict[str, str]:
    """What a side's process has: the caller's variables, without those that a recipe may set."""
    kept = {k: v for k, v in outer.items() if not k.startswith("MALLOC_") and k not in CLEARED}
    if device == "cpu":
        kept["CUDA_VISIBLE_DEVICES"] = "-1"
    else:  # several processes share the GPU: TensorFlow must not take all of its memory at once
        kept["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return {**kept, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT), **recipe}


CLEARED = frozenset(
    {
        *("TF_CPU_ALLOCATOR_USE_BFC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
        *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_XLA_FLAGS", "LD_PRELOAD", "GLIBC_TUNABLES"),
        "PYTHONHOME",
    }
)
