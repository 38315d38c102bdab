"""Labels as a long table: a row for each sequence, or for each step of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.sequences.spec import Task

if TYPE_CHECKING:
    import pyarrow as pa

STEP, LABEL, PROBABILITY = "step", "label", "probability"


@dataclass(frozen=True)
class LabelTable:
    """Makes Arrow tables of labels.

    Columns: the id; for tag and next_step `step`, counted from 1; `label`, the most probable class
    (for next_step: the symbol that should follow this step); `probability`, of that label; and,
    if wanted, `probability_<class>` for each class.

    Attributes:
        task: Of the model.
        classes: Of the model.
        id: Name of the column of ids; `sequence` where that of the data would be there twice.
        every: Whether there is a column for each class.
    """

    task: Task
    classes: tuple[str, ...]
    id: str
    every: bool

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        import pyarrow as pa

        fields = [(self.id, pa.string())]
        if self.task != "classify":
            fields.append((STEP, pa.int64()))
        fields += [(LABEL, pa.string()), (PROBABILITY, pa.float32())]
        if self.every:
            fields += [(f"{PROBABILITY}_{name}", pa.float32()) for name in self.classes]
        # "sequence" is another word than any of these, and so are all that have a prefix.
        taken = [name for name, _ in fields[1:]]
        if self.id in taken:
            fields[0] = ("sequence", pa.string())
        return pa.schema(fields)

    def table(self, ids: Sequence[str], answers: Sequence[npt.NDArray[np.float32]]) -> pa.Table:
        """The rows of some sequences.

        Args:
            ids: Of the sequences.
            answers: Of each, float32 `[classes]` for classify, else `[steps, classes]`.
        """
        import pyarrow as pa

        rows = [np.atleast_2d(one) for one in answers]
        probabilities = np.concatenate(rows)
        steps = np.asarray([len(one) for one in rows])
        columns: list[Any] = [
            pa.array(ids, pa.string()).take(pa.array(np.repeat(np.arange(len(ids)), steps)))
        ]
        if self.task != "classify":
            columns.append(np.concatenate([np.arange(1, n + 1) for n in steps]))
        best = probabilities.argmax(axis=1)
        columns.append(pa.array(self.classes, pa.string()).take(pa.array(best)))
        columns.append(probabilities[np.arange(len(best)), best])
        if self.every:
            columns += list(probabilities.T.copy())
        return pa.table([pa.array(column) for column in columns], schema=self.schema)
