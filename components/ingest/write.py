"""Sorted rows to Parquet Examples: duplicates, splits, holes and the digest in one stream."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from components.ingest.grid import Grid
from models.windows.store import SPLITS

if TYPE_CHECKING:
    import pyarrow as pa

    from components.ingest.stage import Stage
    from components.ingest.statics import Statics

BATCH = 1 << 18
"""Rows per Arrow batch and, at most, per row group."""
PART = 1 << 22
"""Rows per Parquet file, about."""
LONGEST = 1_000
_NAN = np.float32(np.nan)


@dataclass
class Written:
    """What one pass found and wrote; with `conflicts`, the files are not to be used.

    `conflicts` are arrays of [series, time] where a row contradicts the one before.
    """

    conflicts: list[npt.NDArray[np.int64]] = field(default_factory=list)
    exact_duplicates: int = 0
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    unused: int = 0
    missing: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    holes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    distances: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(LONGEST + 1, np.int64)
    )
    digest: str = ""


def write_examples(
    stage: Stage,
    grid: Grid,
    boundaries: tuple[int, int, int, int],
    ids: Sequence[str],
    statics: Statics,
    folder: Path,
) -> Written:
    """Streams the staged rows, sorted by series and time, into `folder/Split-*/part-*.parquet`.

    Args:
        stage: The staged rows; the table `ids` numbers the series in the order of `ids`.
        grid: Their time steps.
        boundaries: Starts of train, validation, test, and the end of test, in Unix seconds.
        ids: Series ids, sorted.
        statics: Static covariates by series.
        folder: Where the split folders go.
    """
    numbers = stage.wanted.numbers
    written = Written(
        missing=np.zeros(len(numbers), np.int64), holes=np.zeros((len(ids), 3), np.int64)
    )
    hashers = [hashlib.blake2b(digest_size=16) for _ in range(2 + len(numbers))]
    sink = Sink(folder, example_schema(stage, statics), ids, statics)
    edges = np.asarray(boundaries[1:], np.int64)
    previous: tuple[npt.NDArray[Any], ...] | None = None
    try:
        for rows in sorted_rows(stage):
            kept, conflicts = without_duplicates(rows, previous)
            previous = tuple(column[-1:] for column in rows)
            if len(conflicts):
                written.conflicts.append(conflicts)
            written.exact_duplicates += len(kept) - int(kept.sum())
            if written.conflicts:
                continue
            rows = rows if kept.all() else tuple(column[kept] for column in rows)
            if not len(rows[0]):
                continue
            for hasher, column in zip(hashers, rows, strict=True):
                hasher.update(_canonical(column))
            for i, column in enumerate(rows[2:]):
                written.missing[i] += int(np.isnan(column).sum())
            _count_holes(written, grid, rows[0], rows[1], sink.last)
            sink.last = (int(rows[0][-1]), int(rows[1][-1]))
            split = np.searchsorted(edges, rows[1], side="right")
            for i, name in enumerate(SPLITS):
                mask = split == i
                count = int(mask.sum())
                written.rows[name] += count
                if count:
                    part = rows if count == len(mask) else tuple(c[mask] for c in rows)
                    sink.write(name, part)
            written.unused += int((split == len(SPLITS)).sum())
    finally:
        sink.close()
    written.digest = _digest(stage, hashers, ids, statics)
    return written


def sorted_rows(stage: Stage) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """The staged rows by series and time: columns `id` (of the table `ids`), `t`, `v0`.. of some.

    Rows that are there twice come twice.
    """
    values = ", ".join(f"v{i}" for i in range(len(stage.wanted.numbers)))
    if stage.wanted.series is None:
        query = f"SELECT 0::INTEGER AS id, t, {values} FROM staged ORDER BY t"
    else:
        query = f"SELECT id, t, {values} FROM staged JOIN ids USING (series) ORDER BY id, t"
    # Without this, batches of a sorted result may come in another order.
    stage.connection.execute("SET preserve_insertion_order = true")
    result: Any = stage.connection.sql(query)
    # DuckDB 2 renamed it.
    reader = (
        result.to_arrow_reader(BATCH)
        if hasattr(result, "to_arrow_reader")
        else result.fetch_arrow_reader(BATCH)
    )
    for batch in reader:
        if batch.num_rows:
            yield tuple(c.to_numpy(zero_copy_only=False) for c in batch.columns)


def without_duplicates(
    rows: tuple[npt.NDArray[Any], ...], previous: tuple[npt.NDArray[Any], ...] | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Which rows to keep, and the [series, time] of rows that contradict the one before.

    Args:
        rows: Columns as `sorted_rows` gives them.
        previous: The row before these, as columns of length 1; None if there is none.
    """
    if previous is not None:
        rows = tuple(np.concatenate(pair) for pair in zip(previous, rows, strict=True))
    same = (rows[0][1:] == rows[0][:-1]) & (rows[1][1:] == rows[1][:-1])
    keep = np.concatenate(([True], ~same))
    conflicts = np.empty((0, 2), np.int64)
    where = np.flatnonzero(same) + 1
    if len(where):
        equal = np.ones(len(where), np.bool_)
        for column in rows[2:]:
            a, b = column[where - 1], column[where]
            equal &= (a == b) | (np.isnan(a) & np.isnan(b))
        clash = where[~equal]
        conflicts = np.stack([rows[0][clash].astype(np.int64), rows[1][clash]], axis=1)
    return (keep if previous is None else keep[1:]), conflicts


def _count_holes(
    written: Written,
    grid: Grid,
    ids: npt.NDArray[Any],
    times: npt.NDArray[Any],
    last: tuple[int, int] | None,
) -> None:
    if last is not None:
        ids = np.concatenate(([last[0]], ids))
        times = np.concatenate(([last[1]], times))
    distance = np.diff(grid.index(times))[ids[1:] == ids[:-1]]
    series = ids[1:][ids[1:] == ids[:-1]]
    written.distances += np.bincount(np.minimum(distance, LONGEST), minlength=LONGEST + 1)
    hole = distance > 1
    if hole.any():
        steps, at = distance[hole] - 1, series[hole]
        np.add.at(written.holes[:, 0], at, 1)
        np.add.at(written.holes[:, 1], at, steps)
        np.maximum.at(written.holes[:, 2], at, steps)


def _canonical(column: npt.NDArray[Any]) -> bytes:
    if column.dtype == np.float32:
        # One bit pattern for every missing value.
        column = np.where(np.isnan(column), _NAN, column)
    return np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<")).tobytes()


def _digest(stage: Stage, hashers: list[Any], ids: Sequence[str], statics: Statics) -> str:
    names = ["", "", *stage.wanted.numbers]
    parts = sorted(f"{name!r} {h.hexdigest()}" for name, h in zip(names, hashers, strict=True))
    parts += [repr(tuple(ids)), *(repr((n, statics.values[n])) for n in sorted(statics.values))]
    parts.append(stage.frequency.alias)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def example_schema(stage: Stage, statics: Statics) -> pa.Schema:
    """The columns of Examples: each a list with one value, or null for a missing one."""
    import pyarrow as pa

    fields = [("time", pa.int64()), ("series", pa.binary())]
    fields += [(name, pa.float32()) for name in stage.wanted.numbers]
    fields += [
        (name, pa.float32() if statics.types[name] == "number" else pa.binary())
        for name in statics.types
    ]
    return pa.schema([(name, pa.list_(kind)) for name, kind in fields])


class Sink:
    """Parquet writers by split; `last` is the (series, time) of the last row kept."""

    def __init__(
        self, folder: Path, schema: pa.Schema, ids: Sequence[str], statics: Statics
    ) -> None:
        import pyarrow as pa

        self.last: tuple[int, int] | None = None
        self._folder, self._schema = folder, schema
        self._ids = pa.array([i.encode() for i in ids], pa.binary())
        self._statics = [
            pa.array(
                [v.encode() if isinstance(v, str) else v for v in values],
                schema.field(name).type.value_type,
            )
            for name, values in statics.values.items()
        ]
        self._writers: dict[str, tuple[Any, int]] = {}
        self._parts: dict[str, int] = {}

    def write(self, split: str, rows: tuple[npt.NDArray[Any], ...]) -> None:
        """Adds rows, as columns of `sorted_rows`, to a split."""
        import pyarrow as pa

        series = pa.array(rows[0])
        ones = pa.array(np.arange(len(series) + 1, dtype=np.int32))

        def lists(values: Any) -> Any:
            return pa.ListArray.from_arrays(ones, values)

        columns = [lists(pa.array(rows[1])), lists(self._ids.take(series))]
        columns += [_float_lists(column, ones) for column in rows[2:]]
        columns += [lists(values.take(series)) for values in self._statics]
        writer, count = self._writers.get(split) or (self._open(split), 0)
        writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), BATCH)
        count += len(series)
        if count >= PART:
            writer.close()
            del self._writers[split]
        else:
            self._writers[split] = (writer, count)

    def close(self) -> None:
        """Finishes the files; to be called whatever happened."""
        for writer, _ in self._writers.values():
            writer.close()
        self._writers.clear()

    def _open(self, split: str) -> Any:
        import pyarrow.parquet as pq

        folder = self._folder / f"Split-{split}"
        folder.mkdir(parents=True, exist_ok=True)
        part = self._parts.get(split, 0)
        path = folder / f"part-{part:05d}.parquet"
        self._parts[split] = part + 1
        return pq.ParquetWriter(
            path, self._schema, compression="snappy", use_dictionary=["series.list.element"]
        )


def _float_lists(column: npt.NDArray[Any], ones: Any) -> Any:
    import pyarrow as pa

    missing = np.isnan(column)
    if not missing.any():
        return pa.ListArray.from_arrays(ones, pa.array(column))
    offsets = np.concatenate(([0], np.cumsum(~missing, dtype=np.int32))).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(column[~missing]), mask=pa.array(missing)
    )
