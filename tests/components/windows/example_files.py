"""Writes Examples as ingest does, independently of it, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SPLITS = ("train", "validation", "test")


def write_examples(
    folder: Path,
    rows: Sequence[dict[str, Any]],
    boundaries: tuple[int, int, int, int],
    *,
    types: dict[str, pa.DataType] | None = None,
    row_group: int = 1000,
    parts: int = 1,
) -> Path:
    """Parquet Examples of `rows`, dicts with `series` (str), `time` (seconds) and columns.

    Args:
        folder: Where to.
        rows: In any order; None is a missing value.
        boundaries: Unix seconds of the splits; later rows go to the test split, as unused ones.
        types: Arrow type of the value of a column; float64 by default.
        row_group: Rows in a row group.
        parts: Files for each split.
    """
    kinds = {"time": pa.int64(), "series": pa.binary(), **(types or {})}
    names = list(dict.fromkeys([*kinds, *(k for row in rows for k in row)]))
    ordered = sorted(rows, key=lambda r: (r["series"].encode(), r["time"]))
    for i, split in enumerate(SPLITS):
        part = [
            r
            for r in ordered
            if (i == 0 or r["time"] >= boundaries[i]) and (i == 2 or r["time"] < boundaries[i + 1])
        ]
        columns = {}
        for name in names:
            kind = kinds.get(name, pa.float64())
            cells = [r.get(name) for r in part]
            cells = [c.encode() if isinstance(c, str) else c for c in cells]
            columns[name] = pa.array([None if c is None else [c] for c in cells], pa.list_(kind))
        table = pa.table(columns)
        target = folder / f"Split-{split}"
        target.mkdir(parents=True)
        size = -(-max(1, len(part)) // parts)
        for number in range(parts):
            piece = table.slice(number * size, size)
            pq.write_table(piece, target / f"part-{number:05d}.parquet", row_group_size=row_group)
    return folder
