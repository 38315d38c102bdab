"""Every sequence gets its split and its place in the Examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.sequences.config import SplitFiles
from components.sequences.ingest import reasons
from components.sequences.ingest.shares import by_hash
from components.sequences.ingest.stage import SequenceStage
from models.errors import BadInputError
from models.sequences.spec import SequenceSpec
from models.windows.store import SPLITS


@dataclass(frozen=True)
class Assigned:
    """The sequences of the splits, and how many are in none.

    Attributes:
        ids: By split, ids in order: of code points, or of files and rows where ids are theirs.
        rows: By split, the number of rows of each sequence, int64.
        unused: Sequences in no split.
    """

    ids: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, npt.NDArray[np.int64]]
    unused: int


def assign(stage: SequenceStage, spec: SequenceSpec) -> Assigned:
    """Makes the table `chosen` of (sequence, split, place) and returns what it says.

    Raises:
        BadInputError: If a split gets no sequence.
    """
    label = "any_value(y)" if spec.task == "classify" else "NULL"
    order = "part0, record0" if stage.data.sequence is None else "sequence"
    table = stage.fetch(
        f"SELECT sequence, {label}, any_value(split), count(*), min(part) AS part0, "
        f"min(record) AS record0 FROM staged GROUP BY sequence ORDER BY {order}"
    )
    if not table:
        raise BadInputError(f"data: none of {sum(stage.rows)} rows can be used")
    splits = _splits(stage, table)
    ids = {
        split: [r[0] for r, s in zip(table, splits, strict=True) if s == split] for split in SPLITS
    }
    rows = {
        split: np.asarray(
            [r[3] for r, s in zip(table, splits, strict=True) if s == split], np.int64
        )
        for split in SPLITS
    }
    _check(stage, ids, len(table))
    _remember(stage, ids)
    return Assigned(
        ids={split: tuple(names) for split, names in ids.items()},
        rows=rows,
        unused=splits.count(reasons.UNUSED),
    )


def _splits(stage: SequenceStage, table: list[tuple[Any, ...]]) -> list[str]:
    given = [str(row[2]) for row in table]
    if stage.split.by == "column":
        return given
    shares = {name: getattr(stage.split, name) for name in ("test", "validation")}
    if isinstance(stage.data.path, SplitFiles):
        shares = {k: v for k, v in shares.items() if getattr(stage.data.path, k) is None}
        divided = [i for i, split in enumerate(given) if split == "train"]
    else:
        divided = list(range(len(table)))
    ids, classes = [table[i][0] for i in divided], [table[i][1] for i in divided]
    found = by_hash(ids, classes, shares, stage.split.seed)
    for i, split in zip(divided, found, strict=True):
        given[i] = split
    return given


def _check(stage: SequenceStage, ids: Mapping[str, list[str]], total: int) -> None:
    for split, names in ids.items():
        if names:
            continue
        if stage.split.by == "column":
            values = ", ".join(map(repr, stage.split.values()[split]))
            why = f"column {stage.split.column!r} never holds {values}; change split.{split}"
        else:
            why = "give more data or change split"
        raise BadInputError(f"split: none of {total} sequences is in the {split} split; {why}")


def _remember(stage: SequenceStage, ids: Mapping[str, list[str]]) -> None:
    import pyarrow as pa

    chosen = pa.table(
        {
            "sequence": pa.array([i for names in ids.values() for i in names], pa.string()),
            "split": pa.array([s for s, names in ids.items() for _ in names], pa.string()),
            "place": pa.array([p for names in ids.values() for p in range(len(names))], pa.int64()),
        }
    )
    stage.connection.register("chosen_arrow", chosen)
    stage.connection.execute("CREATE OR REPLACE TABLE chosen AS SELECT * FROM chosen_arrow")
    stage.connection.unregister("chosen_arrow")
