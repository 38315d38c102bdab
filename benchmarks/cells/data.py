"""The arrays that every side learns from, and the weights that every side starts from.

Needs NumPy alone: PyTorch's process reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.cells.work import GATES, Work

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]
SERIES, WEIGHTS = "data.npz", "weights.npz"


def write(work: Work, folder: Path, seed: int = 7) -> None:
    """Writes data and weights of a work into `folder`.

    `data.npz` of a forecast: `series`, float32 [rows, features], sines with noise about the size of
    one, of which `work.turn * work.batch` windows are for training. Of a masked work: `numbers`,
    float32 [rows, features], all sequences end to end; `lengths` int64 and `labels` int32, one per
    sequence; the numbers of a class lie about a centre of its own.
    """
    rng = np.random.default_rng(seed)
    count = work.turn * work.batch
    if work.masked:
        lengths = rng.integers(work.shortest, work.steps + 1, count + work.batch)
        labels = rng.integers(0, work.outputs, len(lengths)).astype(np.int32)
        centres = rng.normal(size=(work.outputs, work.features)) / 2
        noise = rng.normal(size=(int(lengths.sum()), work.features))
        numbers = (centres[np.repeat(labels, lengths)] + noise).astype(np.float32)
        arrays: Arrays = {"numbers": numbers, "lengths": lengths, "labels": labels}
    else:
        rows = np.arange(count + work.batch + work.steps + 3 * work.horizon)
        periods = rng.uniform(12, 60, work.features)
        phases = rng.uniform(0, 2 * np.pi, work.features)
        series = np.sin(2 * np.pi * rows[:, None] / periods + phases)
        series += rng.normal(scale=0.3, size=series.shape)
        arrays = {"series": series.astype(np.float32)}
    np.savez(folder / SERIES, **arrays)  # type: ignore[arg-type]
    np.savez(folder / WEIGHTS, *weights(work, rng))


def weights(work: Work, rng: np.random.Generator) -> list[Floats]:
    """Kernel [features, gates * units], recurrent kernel and bias of each direction, in the order
    and layout of Keras, then kernel and bias of the linear map; small random values throughout.
    """
    wide = GATES[work.cell] * work.units
    bias = (2, wide) if work.cell == "gru" else (wide,)
    shapes: list[tuple[int, ...]] = []
    for _ in range(work.directions):
        shapes += [(work.features, wide), (work.units, wide), bias]
    shapes += [(work.directions * work.units, work.outputs), (work.outputs,)]
    size = 1 / np.sqrt(work.units)
    return [rng.uniform(-size, size, shape).astype(np.float32) for shape in shapes]


def read(folder: Path, name: str) -> Arrays:
    """The arrays of a file of `write`."""
    with np.load(folder / name, allow_pickle=False) as stored:
        return dict(stored)


def read_weights(folder: Path) -> list[Floats]:
    """The weights, in their order."""
    found = read(folder, WEIGHTS)
    return [found[f"arr_{i}"] for i in range(len(found))]


def windows(work: Work, series: Floats) -> tuple[Floats, Floats]:
    """All train windows: [windows, steps, features], and their labels [windows, outputs]."""
    count = work.turn * work.batch
    spans = np.lib.stride_tricks.sliding_window_view(series, work.steps + work.horizon, axis=0)
    spans = spans[:count].transpose(0, 2, 1)
    inputs = np.ascontiguousarray(spans[:, : work.steps])
    return inputs, np.ascontiguousarray(spans[:, work.steps :]).reshape(count, work.outputs)


def padded(work: Work, arrays: Arrays) -> tuple[Floats, npt.NDArray[np.int64], Any]:
    """All train sequences right-padded with zeros to `work.steps`: [sequences, steps, features],
    lengths int64 and labels int32 [sequences].
    """
    count = work.turn * work.batch
    lengths = arrays["lengths"].astype(np.int64)
    result = np.zeros((count, work.steps, work.features), np.float32)
    real = np.arange(work.steps) < lengths[:count, None]
    result[real] = arrays["numbers"][: int(lengths[:count].sum())]
    return result, lengths[:count], arrays["labels"][:count]


def rows_read(work: Work, folder: Path) -> float:
    """Time steps that are no padding in a train batch, on average."""
    if not work.masked:
        return work.batch * work.steps
    count = work.turn * work.batch
    return float(read(folder, SERIES)["lengths"][:count].sum()) / work.turn
