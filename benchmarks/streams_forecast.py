"""What does it bring to read a series as one stream, with the state carried?

    python -m benchmarks.streams_forecast

Half-hourly electricity demand and taxi passengers, 48 steps ahead (`examples/taylor.yaml` and
`taxi.yaml`): an LSTM trained by truncated backpropagation through time and scored with its state
carried from the start of the series; the same LSTM trained on shuffled windows of the lookback; AR,
the seasonal naive of a week, and the linear dynamical system. All on the same test windows, by the
functions that the pipeline calls, on the exported model. Mean and range over seeds.

Writes `benchmarks/out/streams_forecast.json`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from benchmarks.forecasts import ForecastBench, Table
from benchmarks.spread import arguments, publish
from models.training.config import TrainConfig
from models.training.gradient_flow.config import GradientFlowConfig
from pipeline.config.config import Config

OUT = Path(__file__).parent / "out" / "streams_forecast.json"
TASKS = ("taylor", "taxi")
METRICS = {"mae": 1, "rmse": 1, "mase": 3, "seconds": 0}
"""By metric, the digits printed."""
WINDOWED = {"bptt": "full", "batch_size": 64, "patience": 5}
WINDOWED_EPOCHS = {"taylor": 24, "taxi": 10}
"""The training on windows: about 1000 updates, each of 64 windows of a week. The streams have two
to six times as many, each of 48 steps of one series."""


def trainings(config: Config, seed: int, quick: bool) -> dict[str, TrainConfig]:
    """The two ways to train, by the name in the table."""
    same: dict[str, Any] = {"seed": seed, "gradient_flow": GradientFlowConfig(every=0)}
    if quick:
        same |= {"epochs": 2, "patience": None}
    return {
        "LSTM, one stream": config.train.model_copy(update=same),
        "LSTM, windows": config.train.model_copy(
            update={**WINDOWED, "epochs": WINDOWED_EPOCHS[config.name], **same}
        ),
    }


def measure(name: str, seeds: Sequence[int], quick: bool) -> Table:
    """All models of one example."""
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        bench = ForecastBench.of(name, Path(folder))
        for seed in seeds:
            for label, train in trainings(bench.config, seed, quick).items():
                found = bench.train(label, bench.config.model, train)
                table.add(found, label)
                print(f"{name}, {label}, seed {seed}: {found[label]}", flush=True)
    return table


def main() -> None:
    """Prints the table, writes the JSON."""
    given = arguments(__doc__)
    found = {n: measure(n, given.seeds, given.quick) for n in given.only or TASKS}
    rows: list[list[str]] = []
    for name, table in found.items():
        for model in sorted(table.figures, key=lambda m: table.spread(m, "mae").mean):
            cells = [table.spread(model, metric).text(d) for metric, d in METRICS.items()]
            rows.append([name, model, *cells])
        rows.append([])
    title = f"48 half hours ahead; mean (range) over seeds {list(given.seeds)}"
    content = {name: table.json() for name, table in found.items()}
    header = ("series", "model", *METRICS)
    sys.exit(not publish(title, header, rows, [], content, None if given.quick else OUT))


if __name__ == "__main__":
    main()
