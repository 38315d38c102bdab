"""Does the memory of truncated BPTT grow with the length of the series?

    python -m benchmarks.truncated_bptt

Trains an LSTM of 64 units for one epoch on 4 random walks side by side, each of so many steps, in
chunks of 50 steps; and, for comparison, with one chunk that holds all of the shortest and of the
longest series, which is full BPTT. Every training has a process of its own. Peak memory is that of
the process above what it held before the training began, TensorFlow and the data included there.

Writes `benchmarks/out/truncated_bptt.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from models.features.scaling import Scaling
from models.roles import Roles
from models.windows.spec import WindowSpec
from models.windows.streams import Chunks, Streams, steps_with_labels
from models.windows.writer import StoreWriter

OUT = Path(__file__).parent / "out" / "truncated_bptt.json"
SERIES, UNITS, CHUNK, STEP = 4, 64, 50, 3600
SPEC = WindowSpec(lookback=24, horizon=12)


class Silent:
    """A listener that keeps nothing."""

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Ignores `values`."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Ignores `values`."""

    def warn(self, text: str) -> None:
        """Ignores `text`."""


def measure(steps: int, chunk: int) -> dict[str, Any]:
    """One training in this process: peak memory in MiB above the start, seconds, forecasts."""
    from models.network.build import build_forecaster
    from models.network.config import ModelConfig
    from models.training.config import TrainConfig, TruncatedBptt
    from models.training.fit import fit_forecaster
    from models.training.gradient_flow.config import GradientFlowConfig
    from models.training.machine import training_machine

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        boundaries = (0, steps * STEP, (steps + 50) * STEP, (steps + 100) * STEP)
        writer = StoreWriter(
            Path(folder) / "store", SPEC, Roles(targets=("y",)), "h", boundaries, "linear"
        )
        for index in range(SERIES):
            walk = rng.normal(size=(steps + 100, 1)).cumsum(axis=0).astype(np.float32)
            writer.extend(walk, np.ones(walk.shape, np.bool_), np.arange(len(walk)) * STEP)
            writer.end_segment(index)
        store = writer.finish(tuple(f"s{i}" for i in range(SERIES)), {})
        scaling = Scaling.of({"y": (0.0, float(np.std(store.values)))})
        config = TrainConfig(
            epochs=1,
            batch_size=SERIES,
            bptt=TruncatedBptt(truncated=chunk),
            gradient_flow=GradientFlowConfig(every=0),
        )
        before, began = _peak(), time.perf_counter()
        with training_machine(config, Silent()):
            network = build_forecaster(
                spec=SPEC,
                roles=store.roles,
                model=ModelConfig(units=(UNITS,)),
                scaling=scaling,
                frequency="h",
                seed=7,
            )
            fit_forecaster(
                network,
                store.view("train"),
                store.view("validation"),
                config,
                scaling,
                checkpoints=Path(folder) / "checkpoints",
                recorder=Silent(),
            )
        learned = steps_with_labels(store, "train")
        chunks = Chunks.of(Streams.to(store, learned), SERIES, chunk)
        return {
            "steps": steps,
            "chunk": chunk,
            "updates": len(chunks),
            "forecasts": len(learned),
            "data_mib": store.values.nbytes / 2**20,
            "peak_mib": _peak() - before,
            "seconds": time.perf_counter() - began,
        }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Runs every case in a process of its own and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[2_000, 10_000, 50_000])
    parser.add_argument("--one", type=int, nargs=2, metavar=("STEPS", "CHUNK"))
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one)))
        return
    cases = [(n, CHUNK) for n in given.steps]
    cases += [(n, n) for n in (min(given.steps), max(given.steps))]
    found = []
    print("| steps of a series | chunk | updates | peak MiB above start | seconds |")
    print("|---|---|---|---|---|")
    for steps, chunk in cases:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.truncated_bptt", "--one", str(steps), str(chunk)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        row = json.loads(done.stdout.splitlines()[-1])
        found.append(row)
        print(
            f"| {steps:,} | {chunk:,} | {row['updates']:,} | {row['peak_mib']:.0f} | "
            f"{row['seconds']:.0f} |",
            flush=True,
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
