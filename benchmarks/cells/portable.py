"""Trained on a GPU, loaded on a CPU: the export gives the same forecasts."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.cells.side import ROOT, environment

CELLS = ("lstm", "gru", "simple_rnn")
WITHIN = 1e-4
"""Largest difference of forecasts whose values are about one. A GPU adds up in another order; both
sides multiply in float32."""


def prove(python: Path, device: str, console: Console) -> dict[str, Any]:
    """Trains each cell for an epoch on `device`, exports it, and asks the export on a CPU.

    Args:
        python: The project's interpreter.
        device: `gpu`; with `cpu` everything but the point of it is run.
        console: Hears a line for each cell.

    Returns:
        By cell, the largest difference, and the operations of cuDNN in the graph, of which there
        must be none; `met` if all is as it should be.
    """
    cells = {}
    for cell in CELLS:
        with tempfile.TemporaryDirectory() as folder:
            for part in ("train", "load"):
                on = device if part == "train" else "cpu"
                command = [str(python), "-m", "benchmarks.cells.sides.carried_over", part, cell]
                done = subprocess.run(
                    [*command, folder, on],
                    cwd=ROOT,
                    env=environment(os.environ, {}, on),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    raise RuntimeError(f"{cell}, {part} on {on}: {done.stderr[-2000:]}")
            found = json.loads(done.stdout.splitlines()[-1])
        found["met"] = found["difference"] <= WITHIN and not found["cudnn"]
        cells[cell] = found
        word = "met" if found["met"] else "MISSED"
        console.print(
            f"{cell}, trained on the {device}, loaded on a CPU: forecasts differ by at most "
            f"{found['difference']:.2g}, asked at most {WITHIN:g}; cuDNN operations in the graph: "
            f"{found['cudnn'] or 'none'}: {word}",
            highlight=False,
        )
    return {"device": device, "cells": cells, "met": all(c["met"] for c in cells.values())}
