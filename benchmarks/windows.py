"""How much memory the window stage and the training input need, and how fast windows come.

    python -m benchmarks.windows

One run, side by side, on 1,000,000 x 7 random values with lookback 96 and horizon 24:

- peak memory of building the store from Parquet, and of the training input for an epoch, each in a
  process of its own, above that process before it began, in multiples of the raw float32 size;
- shuffled windows per second in batches of 256, in turns with those of
  `keras.utils.timeseries_dataset_from_array`, each form against its like: all columns in one
  tensor, as Keras delivers them, and cut into a tensor by column, as the networks here take them.

Writes `benchmarks/out/windows.json`. Only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from models.roles import Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore

OUT = Path(__file__).parent / "out" / "windows.json"
COLUMNS = tuple(f"c{i}" for i in range(7))
SPEC = WindowSpec(lookback=96, horizon=24)
ROLES = Roles(targets=COLUMNS)
BATCH = 256
STEP = 60


class Peak:
    """Largest resident set of this process while the block runs, above that at its start."""

    def __enter__(self) -> Peak:
        self.start = self.top = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.top = max(self.top, _resident())
        self._done.set()
        self._thread.join()

    @property
    def bytes(self) -> int:
        """The growth."""
        return self.top - self.start

    def _watch(self) -> None:
        while not self._done.wait(0.002):
            self.top = max(self.top, _resident())


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _boundaries(rows: int) -> tuple[int, int, int, int]:
    return (0, int(rows * 0.7) * STEP, int(rows * 0.85) * STEP, rows * STEP)


def write(folder: Path, rows: int, share_missing: float) -> None:
    """Examples of one series of random values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    edges = [b // STEP for b in _boundaries(rows)]
    for split, low, high in zip(
        ("train", "validation", "test"), edges[:-1], edges[1:], strict=True
    ):
        target = folder / f"Split-{split}"
        target.mkdir(parents=True)
        writer = None
        for start in range(low, high, 1 << 17):
            times = np.arange(start, min(high, start + (1 << 17)), dtype=np.int64)
            keep = random.random(len(times)) >= share_missing
            keep[0] = keep[-1] = True
            times = times[keep]
            offsets = pa.array(np.arange(len(times) + 1, dtype=np.int32))
            series = pa.array([b""] * len(times), pa.binary())
            columns = {
                "time": pa.array(times * STEP),
                "series": series,
                **{c: pa.array(random.normal(size=len(times))) for c in COLUMNS},
            }
            table = pa.table({k: pa.ListArray.from_arrays(offsets, v) for k, v in columns.items()})
            writer = writer or pq.ParquetWriter(target / "part-00000.parquet", table.schema)
            writer.write_table(table)
        assert writer is not None
        writer.close()


def stage(folder: Path, rows: int) -> dict[str, Any]:
    """Builds the store; what is imported and the reader's machinery come before the start."""
    from components.windows.build import build_store
    from components.windows.examples import read_series

    for pieces in read_series(folder / "examples", ROLES):
        next(iter(pieces))
        break
    with Peak() as peak:
        began = time.perf_counter()
        report = build_store(
            folder / "examples",
            _boundaries(rows),
            SPEC,
            ROLES,
            GapsConfig(max=8),
            "min",
            folder / "store",
        )
    seconds = time.perf_counter() - began
    return {"peak": peak.bytes, "seconds": seconds, "windows": report.windows}


def training(folder: Path, _: int) -> dict[str, Any]:
    """One epoch of shuffled train windows."""
    import tensorflow as tf

    from models.training.dataset import window_dataset
    from tests.stores import make_store

    # TensorFlow's own start, with threads and kernels, on a store of a few rows.
    tiny = make_store([("", 0, np.zeros((400, 7)))], SPEC, (200, 300, 400)).view("train")
    for _ in window_dataset(tiny, BATCH, shuffle=True):
        pass
    assert tf.executing_eagerly()
    with Peak() as peak:
        began = time.perf_counter()
        store = SeriesStore.load(folder / "store")
        count = 0
        for _, labels in window_dataset(store.view("train"), BATCH, shuffle=True, seed=1):
            count += int(labels["c0"].shape[0])
    seconds = time.perf_counter() - began
    assert count == len(store.view("train"))
    return {"peak": peak.bytes, "seconds": seconds, "windows": count}


def speed(folder: Path, _: int) -> dict[str, Any]:
    """Windows per second of both, in turns."""
    import keras
    import tensorflow as tf

    from models.training.dataset import window_dataset

    store = SeriesStore.load(folder / "store")
    view = store.view("train")
    values = np.array(store.values[: int(view.origins[-1]) + SPEC.horizon + 1])
    lookback = SPEC.lookback

    def keras_input() -> tf.data.Dataset:
        return keras.utils.timeseries_dataset_from_array(
            values, None, sequence_length=SPEC.span, batch_size=BATCH, shuffle=True, seed=1
        )

    def by_column(x: tf.Tensor) -> Any:
        columns = tf.unstack(x, axis=-1)
        return (
            {n: c[:, :lookback] for n, c in zip(COLUMNS, columns, strict=True)},
            {n: c[:, lookback:] for n, c in zip(COLUMNS, columns, strict=True)},
        )

    contenders: dict[str, Callable[[], tf.data.Dataset]] = {
        "elman": lambda: window_dataset(view, BATCH, shuffle=True, seed=1, stacked=True),
        "keras": keras_input,
        "elman, by column": lambda: window_dataset(view, BATCH, shuffle=True, seed=1),
        "keras, by column": lambda: keras_input().map(by_column).prefetch(2),
    }
    batches = {"elman": 1200, "keras": 60, "elman, by column": 1200, "keras, by column": 60}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(6):
        for name, make in contenders.items():
            # A new iterator for every turn: a waiting one would fill its buffers in the others'.
            iterator = iter(make())
            for _ in range(20):
                next(iterator)
            began = time.perf_counter()
            for _ in range(batches[name]):
                next(iterator)
            rates[name].append(batches[name] * BATCH / (time.perf_counter() - began))
            del iterator
    return {name: {"median": statistics.median(r), "all": r} for name, r in rates.items()}


TASKS = {"stage": stage, "training": training, "speed": speed}


def _apart(task: str, folder: Path, rows: int) -> Any:
    command = [sys.executable, "-m", "benchmarks.windows", "--task", task]
    command += ["--folder", str(folder), "--rows", str(rows)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Runs everything, prints a table and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--task", choices=TASKS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(TASKS[options.task](options.folder, options.rows)))
        return
    rows, raw = options.rows, options.rows * len(COLUMNS) * 4
    result: dict[str, Any] = {"rows": rows, "columns": len(COLUMNS), "raw_bytes": raw}
    with tempfile.TemporaryDirectory() as name:
        for label, share in (("complete", 0.0), ("one row in 50 missing", 0.02)):
            folder = Path(name) / label.replace(" ", "-")
            write(folder / "examples", rows, share)
            result[label] = {t: _apart(t, folder, rows) for t in ("stage", "training")}
        result["speed"] = _apart("speed", Path(name) / "complete", rows)
    print(f"{rows:,} x {len(COLUMNS)} float32: {raw / 2**20:.0f} MiB raw; {SPEC!r}\n")
    print(f"{'peak memory':<40}{'MiB':>8}{'times raw':>11}{'limit':>7}")
    for label in ("complete", "one row in 50 missing"):
        for task in ("stage", "training"):
            peak = result[label][task]["peak"]
            print(f"{task + ', ' + label:<40}{peak / 2**20:>8.0f}{peak / raw:>11.2f}{4:>7}")
    print(f"\n{'windows per second, batches of 256':<40}{'median':>10}{'keras x':>11}{'goal':>7}")
    speed = result["speed"]
    for label, rate in speed.items():
        keras = speed[label.replace("elman", "keras")]["median"]
        ratio = rate["median"] / keras
        goal = "20" if label == "elman" else ""
        shown = f"{ratio:>10.1f}x{goal:>7}" if label.startswith("elman") else ""
        print(f"{label:<40}{rate['median']:>10,.0f}{shown}")
        speed[label]["ratio_to_keras"] = ratio
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\n{OUT}")


if __name__ == "__main__":
    main()
