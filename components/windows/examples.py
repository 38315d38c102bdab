"""Reads the Parquet Examples series by series, a column of a row group at a time.

Decoding one column at a time keeps little more in memory than the values asked for; reading all
columns in batches took four times as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import BadInputError
from models.roles import Roles
from models.windows.store import SPLITS


@dataclass
class Piece:
    """Consecutive rows of one series in one split, as read.

    Attributes:
        series: The id.
        time: int64 `[n]`, Unix seconds.
        values: float32 `[n, columns]`, nan where missing.
        static: By static covariate, the distinct values met (missing ones left out).
    """

    series: bytes
    time: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    static: dict[str, set[Any]] = field(default_factory=dict)


def read_series(examples: Path, roles: Roles) -> Iterator[Iterator[Piece]]:
    """The series of all splits in the order of their ids, each as its pieces in order of time.

    Args:
        examples: The Examples folder: `Split-<split>/*.parquet`, rows sorted by (series, time).
        roles: The columns to read.

    Yields:
        For each series an iterator over its pieces; use it up before asking for the next series.

    Raises:
        BadInputError: If a split or column is missing, a list does not hold one value, a value is
            infinite in float32, or rows are not sorted by series.
    """
    if not any(examples.glob("Split-*/*.parquet")):
        raise BadInputError(f"{examples} holds no Parquet Examples; run ingest again")
    readers = [_Ahead(read_split(examples, split, roles)) for split in SPLITS]

    def of(name: bytes) -> Iterator[Piece]:
        for reader in readers:
            while reader.head is not None and reader.head.series == name:
                yield reader.pop()

    while heads := [r.head.series for r in readers if r.head is not None]:
        yield of(min(heads))


class _Ahead:
    """An iterator of pieces whose next one can be looked at."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self.head: Piece | None = next(pieces, None)

    def pop(self) -> Piece:
        assert self.head is not None
        piece, self.head = self.head, next(self._pieces, None)
        return piece


def read_split(examples: Path, split: str, roles: Roles) -> Iterator[Piece]:
    """The rows of one split in their order, as pieces of at most a row group.

    Raises:
        BadInputError: As `read_series`.
    """
    # A split without rows has no file.
    files = sorted((examples / f"Split-{split}").glob("*.parquet"))
    previous: bytes | None = None
    static = roles.covariates.static
    wanted = ["series", "time", *roles.dynamic, *static]
    for path in files:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:
            missing = [name for name in wanted if name not in file.schema_arrow.names]
            if missing:
                raise BadInputError(
                    f"{path}: the Examples have no column {missing[0]!r}; they have "
                    f"{', '.join(file.schema_arrow.names)}"
                )
            for group in range(file.metadata.num_row_groups):
                for piece in _pieces_of_group(file, group, roles, path):
                    if previous is not None and piece.series < previous:
                        raise BadInputError(
                            f"{path}: rows are not sorted by series: {_text(piece.series)!r} "
                            f"comes after {_text(previous)!r}; run ingest again"
                        )
                    previous = piece.series
                    yield piece


def _pieces_of_group(file: pq.ParquetFile, group: int, roles: Roles, path: Path) -> Iterator[Piece]:
    time_column = _flat(file, group, "time", path)
    series = _flat(file, group, "series", path).cast(pa.binary())
    for name, column in (("time", time_column), ("series", series)):
        if column.null_count:
            raise BadInputError(f"{path}: a row has no {name}; run ingest again")
    time = time_column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    values = np.empty((len(time), len(roles.dynamic)), np.float32)
    for i, name in enumerate(roles.dynamic):
        column = _flat(file, group, name, path)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise BadInputError(
                f"{path}: column {name!r} is {column.type}; targets and past and future "
                "covariates have to be numbers"
            )
        exact = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):
            values[:, i] = exact
        if np.isinf(values[:, i]).any():
            worst = exact[np.isinf(values[:, i])][0]
            raise BadInputError(
                f"{path}: column {name!r} holds {worst}, which is no finite 32-bit number; "
                "rescale the column or clean the data"
            )
    statics = {name: _flat(file, group, name, path) for name in roles.covariates.static}
    encoded = pc.run_end_encode(series)
    ends, names = encoded.run_ends.to_pylist(), encoded.values.to_pylist()
    del encoded, series, time_column
    start = 0
    for end, name in zip(ends, names, strict=True):
        yield Piece(
            name,
            time[start:end],
            values[start:end],
            {k: _distinct(column[start:end]) for k, column in statics.items()},
        )
        start = end


def _flat(file: pq.ParquetFile, group: int, name: str, path: Path) -> pa.Array:
    """One value per row, null where missing, of a list column with at most one value per row."""
    table = file.read_row_group(group, columns=[name], use_threads=False)
    column = pa.concat_arrays(table.column(0).chunks)
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise BadInputError(f"{path}: column {name!r} is {column.type}, expected a list column")
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    if lengths.max(initial=0) > 1:
        raise BadInputError(f"{path}: column {name!r} has {lengths.max()} values in one row")
    flat = column.flatten()
    if len(flat) == len(column):
        return flat
    rows = np.cumsum(lengths, dtype=np.int64) - 1
    return flat.take(pa.array(rows, mask=lengths == 0))


def _distinct(column: pa.Array) -> set[Any]:
    values = pc.unique(column).to_pylist()
    return {_text(v) if isinstance(v, bytes) else v for v in values if v is not None and v == v}


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="backslashreplace")
