"""Staged rows to Parquet Examples: a row for each sequence, every column a list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from components.sequences.config import SEQUENCE
from components.sequences.ingest.assign import Assigned
from components.sequences.ingest.stage import SequenceStage
from models.sequences.spec import SequenceSpec
from models.windows.store import SPLITS

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1 << 17
"""Steps in a row group, about: a sequence is never cut."""
PART = 1 << 22
"""Steps in a Parquet file, about."""


def write_examples(
    stage: SequenceStage, spec: SequenceSpec, assigned: Assigned, folder: Path
) -> str:
    """Writes `folder/Split-*/part-*.parquet`; returns a digest of the content.

    Columns are `sequence` (the id), the inputs and the target, each a list: of one value for the
    id, a text and the label of classify, else of one value per step. Numbers are float32, all
    else bytes of UTF-8. The digest is equal for equal sequences in equal splits, in whatever
    files they came.

    Args:
        stage: The rows; the table `chosen` says which go where.
        spec: The columns.
        assigned: Ids and lengths of the sequences.
        folder: Where the split folders go.
    """
    names = _names(stage, spec)
    digest = hashlib.sha256()
    for split in SPLITS:
        hashers: dict[str, Any] = {
            key: hashlib.blake2b(digest_size=16)
            for name in ("length", SEQUENCE, *names.values())
            for key in (name, f"{name}#")
        }
        sink = _Sink(folder / f"Split-{split}")
        try:
            for first, lengths, rows in _sequences(stage, split, assigned.rows[split]):
                ids = assigned.ids[split][first : first + len(lengths)]
                table = _examples(ids, lengths, rows, names, spec)
                _update(hashers, table, lengths)
                sink.write(table, int(lengths.sum()))
        finally:
            sink.close()
        content = sorted(f"{name!r} {hasher.hexdigest()}" for name, hasher in hashers.items())
        digest.update("\n".join([split, *content, ""]).encode())
    return digest.hexdigest()


def _names(stage: SequenceStage, spec: SequenceSpec) -> dict[str, str]:
    """By column of the staged rows, the column of the Examples."""
    target = () if spec.target is None else (spec.target,)
    return dict(zip(stage.columns.kept, (*spec.inputs.columns, *target), strict=True))


def _sequences(
    stage: SequenceStage, split: str, lengths: npt.NDArray[np.int64]
) -> Iterator[tuple[int, npt.NDArray[np.int64], pa.Table]]:
    """The sequences of a split in groups: position of the first, lengths, and rows end to end."""
    import pyarrow as pa

    kept = ", ".join(stage.columns.kept)
    result: Any = stage.connection.sql(
        f"SELECT {kept} FROM staged JOIN chosen USING (sequence) WHERE chosen.split = '{split}' "
        "ORDER BY chosen.place, step, part, record"
    )
    # DuckDB 2 renamed it.
    reader = (
        result.to_arrow_reader(BATCH)
        if hasattr(result, "to_arrow_reader")
        else result.fetch_arrow_reader(BATCH)
    )
    ends = np.cumsum(lengths)
    waiting = reader.schema.empty_table()
    first = taken = 0
    while first < len(lengths):
        # At least one, then as many as fit.
        stop = max(first + 1, int(np.searchsorted(ends, taken + BATCH, side="right")))
        need = int(ends[stop - 1]) - taken
        while waiting.num_rows < need:
            batch = pa.Table.from_batches([reader.read_next_batch()])
            waiting = pa.concat_tables([waiting, batch])
        yield first, lengths[first:stop], waiting.slice(0, need).combine_chunks()
        waiting = waiting.slice(need)
        taken, first = int(ends[stop - 1]), stop


def _examples(
    ids: tuple[str, ...],
    lengths: npt.NDArray[np.int64],
    rows: pa.Table,
    names: dict[str, str],
    spec: SequenceSpec,
) -> pa.Table:
    import pyarrow as pa

    ones = np.arange(len(ids) + 1)
    steps = np.concatenate(([0], np.cumsum(lengths)))
    found = {SEQUENCE: _lists(pa.array([i.encode() for i in ids], pa.binary()), ones)}
    for column, name in names.items():
        values = rows.column(column)
        if not pa.types.is_floating(values.type):
            values = values.cast(pa.string()).cast(pa.binary())
        whole = column == "y" and spec.task == "classify"
        if whole:
            values = values.take(pa.array(steps[:-1]))
        found[name] = _lists(_one(values), ones if whole else steps)
    return pa.table(found)


def _one(values: Any) -> Any:
    """A chunked array as one array."""
    import pyarrow as pa

    if not isinstance(values, pa.ChunkedArray):
        return values
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)


def _lists(values: Any, offsets: npt.NDArray[np.int64]) -> Any:
    import pyarrow as pa

    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values)


def _update(hashers: dict[str, Any], table: pa.Table, lengths: npt.NDArray[np.int64]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    hashers["length"].update(lengths.astype("<i8").tobytes())
    for name in table.column_names:
        values = _one(table.column(name)).flatten()
        if pa.types.is_floating(values.type):
            hashers[name].update(values.to_numpy().astype("<f4").tobytes())
            continue
        sizes = pc.binary_length(values).to_numpy(zero_copy_only=False)
        hashers[f"{name}#"].update(sizes.astype("<i8").tobytes())
        hashers[name].update(b"".join(values.to_pylist()))


class _Sink:
    """Parquet files of one split."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._writer: Any = None
        self._parts = self._steps = 0

    def write(self, table: pa.Table, steps: int) -> None:
        import pyarrow.parquet as pq

        if self._writer is None:
            path = self._folder / f"part-{self._parts:05d}.parquet"
            self._writer = pq.ParquetWriter(path, table.schema, compression="snappy")
            self._parts += 1
        self._writer.write_table(table, table.num_rows)
        self._steps += steps
        if self._steps >= PART:
            self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer, self._steps = None, 0
