"""What one carried step costs against running the whole window again.

    python -m benchmarks.streaming

The same LSTM at lookback 96 and 960, both in one embedded server: latency of the model call
as the server measures it, in turns (step, window, step, window, ...), medians. Goal: a step
costs at most 1/3 of the window at 96 and 1/20 at 960, and the same at both.

Writes `benchmarks/out/streaming.json`. Only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from benchmarks.load import co2
from serving.engine.manager import ModelManager
from serving.engine.settings import ServedModel
from serving.inference.inference import Inference
from serving.inference.target import Target
from serving.observer import Silent

OUT = Path(__file__).parent / "out" / "streaming.json"
LOOKBACKS = {96: 1 / 3, 960: 1 / 20}
"""Lookback, and the largest share of the window's cost that a step may have."""


class Calls(Silent):
    """Keeps how long the last model call took."""

    seconds = 0.0

    def model_call(self, *, model: str, version: int, seconds: float, rows: int) -> None:
        """Keeps the seconds."""
        del model, version, rows
        self.seconds = seconds


async def measure(calls: int, folder: Path) -> dict[str, Any]:
    """Median seconds of a model call, by lookback, for a step and for a window."""
    for lookback in LOOKBACKS:
        co2.export(
            folder / f"co2_{lookback}" / "1", seed=7, lookback=lookback, normalize="standard"
        )
    heard = Calls()
    models = [ServedModel(f"co2_{n}", folder / f"co2_{n}") for n in LOOKBACKS]
    manager = ModelManager(models, observer=heard)
    await manager.start()
    inference = Inference(manager, None, observer=heard)
    taken: dict[str, list[float]] = {}
    feeds = {n: co2.windows(1, n) for n in LOOKBACKS}
    states: dict[int, Any] = {}
    for n in LOOKBACKS:
        target = Target(f"co2_{n}", signature="stream_init")
        states[n] = (await inference.predict(target, {"batch": np.ones(1, np.int32)})).outputs
    for i in range(calls):
        for n, feed in feeds.items():
            step = {"co2": feed["co2"][:, i % n], "time": feed["time"]}
            target = Target(f"co2_{n}", signature="stream_step")
            done = await inference.predict(target, {**step, **states[n]})
            taken.setdefault(f"step {n}", []).append(heard.seconds)
            states[n] = {name: done.outputs[name] for name in states[n]}
            await inference.predict(Target(f"co2_{n}"), feed)
            taken.setdefault(f"window {n}", []).append(heard.seconds)
    await manager.stop()
    # The first calls pay for what is set up once.
    medians = {key: statistics.median(values[calls // 10 :]) for key, values in taken.items()}
    shares = {str(n): medians[f"step {n}"] / medians[f"window {n}"] for n in LOOKBACKS}
    between = medians["step 960"] / medians["step 96"]
    return {"seconds": medians, "step_to_window": shares, "step_960_to_step_96": between}


def main() -> None:
    """Measures, prints a table, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="elman-streaming-") as name:
        found = asyncio.run(measure(given.calls, Path(name)))
    print(f"{'lookback':>8}{'window ms':>11}{'step ms':>9}{'step / window':>15}{'goal':>8}")
    for n, goal in LOOKBACKS.items():
        s, share = found["seconds"], found["step_to_window"][str(n)]
        window, step = 1e3 * s[f"window {n}"], 1e3 * s[f"step {n}"]
        print(f"{n:8}{window:11.2f}{step:9.2f}{share:15.4f}{goal:8.3f}")
    print(f"a step at 960 costs {found['step_960_to_step_96']:.2f} times one at 96")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
