"""Reads the Parquet Examples of sequences: whole columns of a split, with the steps end to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.sequences.config import SEQUENCE
from models.errors import BadInputError
from models.sequences.spec import SequenceSpec
from models.windows.store import SPLITS


@dataclass(frozen=True)
class SplitRows:
    """The sequences of one split, in the order of the Examples.

    Attributes:
        ids: String `[sequences]`.
        lengths: int64 `[sequences]`: values of each sequence in `numbers` and `tokens` (1 for
            a text, which is not cut yet).
        numbers: float32 `[rows, numbers]`.
        tokens: By symbol or text column, string `[rows]`.
        target: String, `[sequences]` for classify, `[rows]` for tag, None for next_step.
    """

    ids: pa.Array
    lengths: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float32]
    tokens: Mapping[str, pa.Array]
    target: pa.Array | None


def read_split(examples: Path, split: str, spec: SequenceSpec) -> SplitRows:
    """The sequences of a split.

    Raises:
        BadInputError: If the split or a column is missing, a list is missing or has another length
            than its sequence, or a number is not finite.
    """
    files = sorted((examples / f"Split-{split}").glob("*.parquet"))
    if not files:
        raise BadInputError(f"{examples} holds no Parquet Examples of {split}; run ingest again")
    target = () if spec.target is None else (spec.target,)
    names = [SEQUENCE, *spec.inputs.columns, *target]
    tables = []
    for path in files:
        present = pq.read_schema(path).names
        missing = [name for name in names if name not in present]
        if missing:
            raise BadInputError(
                f"{path}: the Examples have no column {missing[0]!r}; they have "
                f"{', '.join(present)}"
            )
        tables.append(pq.read_table(path, columns=names))
    table = pa.concat_tables(tables)
    columns = {name: _Column.of(table, name, examples / f"Split-{split}") for name in names}
    lengths = columns[spec.inputs.columns[0]].lengths
    for name, column in columns.items():
        single = name == SEQUENCE or (name == spec.target and spec.task == "classify")
        expected = np.ones(len(lengths), np.int64) if single else lengths
        if not np.array_equal(column.lengths, expected) or lengths.min(initial=1) < 1:
            raise BadInputError(
                f"{examples / f'Split-{split}'}: column {name!r} has lists of other lengths than "
                "its sequences; run ingest again"
            )
    numbers = np.empty((int(lengths.sum()), len(spec.inputs.numbers)), np.float32)
    for i, name in enumerate(spec.inputs.numbers):
        numbers[:, i] = columns[name].values.cast(pa.float32()).to_numpy(zero_copy_only=False)
        if not np.isfinite(numbers[:, i]).all():
            raise BadInputError(
                f"{examples / f'Split-{split}'}: column {name!r} holds a value that is not finite; "
                "run ingest again"
            )
    return SplitRows(
        ids=columns[SEQUENCE].text(),
        lengths=lengths,
        numbers=numbers,
        tokens={name: columns[name].text() for name in spec.inputs.tokens},
        target=columns[spec.target].text() if spec.target is not None else None,
    )


def read_splits(examples: Path, spec: SequenceSpec) -> dict[str, SplitRows]:
    """The sequences of all splits.

    Raises:
        BadInputError: As `read_split`.
    """
    return {split: read_split(examples, split, spec) for split in SPLITS}


@dataclass(frozen=True)
class _Column:
    values: Any
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, name: str, where: Path) -> _Column:
        lists = table.column(name)
        lists = pa.concat_arrays(lists.chunks)
        values = lists.flatten()
        if lists.null_count or values.null_count:
            raise BadInputError(f"{where}: column {name!r} misses values; run ingest again")
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(values, lengths)

    def text(self) -> Any:
        return self.values.cast(pa.string())
