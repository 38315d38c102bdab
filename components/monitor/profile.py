"""`Profile`: how the values of the training rows are distributed, stretch by stretch of time.

Kept beside a model, it is all that later runs need to tell whether new values look like those of
its training, and how different stretches of the training data were among themselves.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.monitor.columns import ColumnBins
from components.windows.examples import Piece
from models.frequency import Frequency
from models.roles import Roles

BLOCKS = 4096
"""Stretches of time, about, at most; each is as long as the others."""
SAMPLE = 1_000_000
"""Rows at most that bins are made from."""

Counts = npt.NDArray[np.int64]
Pieces = Callable[[], Iterable[Piece]]


@dataclass(frozen=True)
class Profile:
    """Counts by column, block of time and bin.

    Attributes:
        columns: The bins, by column.
        counts: By column, int64 `[blocks, bins]`.
        times: int64 `[blocks + 1]`, Unix seconds: where each block begins, and the end of the last.
        series: Ids of the series.
    """

    columns: Mapping[str, ColumnBins]
    counts: Mapping[str, Counts]
    times: npt.NDArray[np.int64]
    series: tuple[str, ...]

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self.times) - 1

    @property
    def seconds(self) -> float:
        """Length of a block."""
        return float(self.times[-1] - self.times[0]) / self.blocks

    def total(self) -> dict[str, Counts]:
        """Counts of all blocks together, by column, int64 `[bins]`."""
        return {name: counts.sum(axis=0) for name, counts in self.counts.items()}

    def save(self, path: Path) -> None:
        """Writes one `.npz`, in one step."""
        about = {
            "columns": [[name, bins.words] for name, bins in self.columns.items()],
            "series": list(self.series),
        }
        arrays: dict[str, Any] = {"times": self.times}
        for i, (name, bins) in enumerate(self.columns.items()):
            arrays[f"edges-{i}"], arrays[f"counts-{i}"] = bins.edges, self.counts[name]
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Profile:
        """The profile in `path`.

        Raises:
            OSError: If it cannot be read.
            ValueError: If it is no profile.
        """
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            columns, counts = {}, {}
            for i, (name, words) in enumerate(about["columns"]):
                columns[name] = ColumnBins(
                    arrays[f"edges-{i}"], None if words is None else tuple(words)
                )
                counts[name] = arrays[f"counts-{i}"]
            return cls(columns, counts, arrays["times"], tuple(about["series"]))


def build_profile(
    pieces: Pieces, roles: Roles, *, start: int, end: int, frequency: Frequency, rows: int
) -> Profile:
    """The profile of the rows that `pieces` gives; they are read twice, a piece at a time.

    Args:
        pieces: Gives the rows anew each time it is called.
        roles: Their columns.
        start: Unix seconds of the first row.
        end: Unix seconds of the last row.
        frequency: Their step.
        rows: How many there are, about.
    """
    columns, series = _bins(pieces, roles, max(1, rows // SAMPLE))
    times = _times(start, end, frequency)
    blocks = len(times) - 1
    counts = {name: np.zeros((blocks, bins.size), np.int64) for name, bins in columns.items()}
    for piece in pieces():
        block = np.clip(np.searchsorted(times, piece.time, side="right") - 1, 0, blocks - 1)
        for name, found in indices(piece, roles, columns).items():
            flat = np.bincount(block * columns[name].size + found, minlength=counts[name].size)
            counts[name] += flat.reshape(counts[name].shape)
    return Profile(columns, counts, times, series)


def count_rows(
    pieces: Iterable[Piece], roles: Roles, columns: Mapping[str, ColumnBins]
) -> dict[str, Counts]:
    """How many of some rows fall into each bin, by column, int64 `[bins]`."""
    counts = {name: np.zeros(bins.size, np.int64) for name, bins in columns.items()}
    for piece in pieces:
        for name, found in indices(piece, roles, columns).items():
            counts[name] += np.bincount(found, minlength=columns[name].size)
    return counts


def indices(
    piece: Piece, roles: Roles, columns: Mapping[str, ColumnBins]
) -> dict[str, npt.NDArray[np.int64]]:
    """The bin of each row of `piece`, by column, for the columns that both have."""
    found = {
        name: columns[name].index(piece.values[:, i])
        for i, name in enumerate(roles.dynamic)
        if name in columns
    }
    for name in roles.covariates.static:
        if name in columns:
            value = _constant(piece, name, text=columns[name].is_text)
            found[name] = np.repeat(columns[name].index([value]), len(piece.time))
    return found


def _times(start: int, end: int, frequency: Frequency) -> npt.NDArray[np.int64]:
    """Bounds of equal blocks that are whole steps and, where that can be, part a season evenly.

    Only then are as many blocks as there are in a day just a day, with all of its hours.
    """
    step, season = frequency.mean_step, frequency.season
    steps = round((end - start) / step) + 1
    fewest = -(-steps // BLOCKS)
    length = next((n for n in range(fewest, season + 1) if season % n == 0), fewest)
    bounds = start + np.arange(-(-steps // length) + 1) * (length * step)
    return np.ceil(bounds).astype(np.int64)


def _bins(
    pieces: Pieces, roles: Roles, every: int
) -> tuple[dict[str, ColumnBins], tuple[str, ...]]:
    sampled: list[list[npt.NDArray[np.float32]]] = [[] for _ in roles.dynamic]
    static: dict[str, Counter[Any]] = {name: Counter() for name in roles.covariates.static}
    series: dict[bytes, None] = {}
    skip = 0
    for piece in pieces():
        series[piece.series] = None
        part = piece.values[skip::every]
        skip = (skip - len(piece.values)) % every
        for i, values in enumerate(sampled):
            values.append(part[:, i].copy())
        for name, counter in static.items():
            for value in piece.static.get(name, ()):
                counter[value] += len(piece.time)
    columns = {
        name: ColumnBins.of_numbers(np.concatenate([*values, np.zeros(0, np.float32)]))
        for name, values in zip(roles.dynamic, sampled, strict=True)
    }
    for name, counter in static.items():
        if any(isinstance(value, str) for value in counter):
            columns[name] = ColumnBins.of_texts(counter)
        else:
            weights = [max(1, count // every) for count in counter.values()]
            columns[name] = ColumnBins.of_numbers(np.repeat(list(counter), weights))
    return columns, tuple(s.decode("utf-8", errors="backslashreplace") for s in series)


def _constant(piece: Piece, name: str, *, text: bool) -> Any:
    values = piece.static.get(name) or set()
    value = min(values, key=str) if values else None
    if text:
        return None if value is None else str(value)
    return np.nan if not isinstance(value, (int, float)) else value
