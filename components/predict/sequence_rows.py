"""`StagedSequences`: the sequences of input files without labels, checked as in training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.ingest.rejects import Tally
from components.ingest.stage import connect, explained
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from components.sequences.ingest import reasons
from components.sequences.ingest.columns import SequenceColumns
from components.sequences.ingest.sources import Source, find
from components.sequences.ingest.stage import SequenceStage
from models.errors import BadInputError
from models.sequences.spec import SequenceInputs

BLOCK = 1 << 16
"""Rows fetched at a time."""


@dataclass(frozen=True)
class InputSequence:
    """One sequence: its id, and by input column its values, a text being one of length 1."""

    id: str
    values: dict[str, npt.NDArray[Any]]

    @property
    def rows(self) -> int:
        """Rows of the input."""
        return len(next(iter(self.values.values())))


@dataclass
class StagedSequences:
    """All rows in a DuckDB table, out of core.

    Attributes:
        stage: The table.
        inputs: The columns to read.
        bad: Bad rows dropped (`data.on_bad_rows: drop`).
        sequences: How many can be used.
        left_out: Sequences dropped because of a bad row.
    """

    stage: SequenceStage
    inputs: SequenceInputs
    bad: Tally = field(default_factory=lambda: Tally(advice=reasons.ADVICE))
    sequences: int = 0
    left_out: int = 0

    @property
    def rows(self) -> int:
        """Records in the input, good or bad."""
        return sum(self.stage.rows)

    def settle(self) -> None:
        """Checks all rows, and refuses the input or drops sequences as configured.

        Raises:
            BadInputError: If there are bad rows and `data.on_bad_rows` is `fail`, or no sequence
                is left.
        """
        stage = self.stage
        with explained("input"):
            self.bad.add(*stage.bad_rows())
            # Not "classify": there are no labels here that could differ in a sequence.
            self.bad.add(*stage.contradictions("tag"))
            if self.bad.counts:
                if stage.data.on_bad_rows == "fail":
                    self.bad.refuse(self.rows)
                self.left_out = stage.drop()
            # In the order in which they come.
            stage.connection.execute(
                "CREATE TABLE chosen AS SELECT sequence, row_number() OVER (ORDER BY came) AS "
                "ordinal FROM (SELECT sequence, min(part::HUGEINT * 4611686018427387904 + record) "
                "AS came FROM staged GROUP BY sequence)"
            )
            self.sequences = int(stage.fetch("SELECT count(*) FROM chosen")[0][0])
        if not self.sequences:
            raise BadInputError(f"input: none of {self.rows} rows can be used")

    def __iter__(self) -> Iterator[InputSequence]:
        """The sequences in the order in which they begin in the input."""
        names = dict(zip(self.stage.columns.kept, self.inputs.columns, strict=True))
        held: list[Any] = []
        for block in self._blocks():
            places = block.column("ordinal").to_numpy()
            edges = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(places)]
            for low, high in pairwise(edges):
                if held and held[0].column("ordinal")[0].as_py() != places[low]:
                    yield _sequence(held, names)
                    held = []
                held.append(block.slice(low, high - low))
        if held:
            yield _sequence(held, names)

    def _blocks(self) -> Iterator[Any]:
        import pyarrow as pa

        kept = ", ".join(self.stage.columns.kept)
        with explained("input"):
            result: Any = self.stage.connection.sql(
                f"SELECT ordinal, sequence, {kept} FROM staged JOIN chosen USING (sequence) "  # noqa: S608 - names of our own
                "ORDER BY ordinal, step, part, record"
            )
            # DuckDB 2 renamed it.
            reader = (
                result.to_arrow_reader(BLOCK)
                if hasattr(result, "to_arrow_reader")
                else result.fetch_arrow_reader(BLOCK)
            )
            for batch in reader:
                if batch.num_rows:
                    yield pa.Table.from_batches([batch])


@contextmanager
def staged_sequences(
    data: SequenceDataConfig, inputs: SequenceInputs, pattern: str, work: Path
) -> Iterator[StagedSequences]:
    """Reads the files that `pattern` names as the configuration `data` says.

    Args:
        data: How files are read and which columns hold ids and steps; its path is not used.
        inputs: Of the model, which decides which columns are read.
        pattern: Path or glob of CSV, Parquet or JSON lines, from the working directory.
        work: An empty folder for what does not fit in memory.

    Raises:
        BadInputError: If a file cannot be read or lacks a column the model needs.
    """
    data = data.model_copy(update={"path": pattern})
    columns = SequenceColumns(
        sequence=data.sequence,
        step=data.step,
        numbers=inputs.numbers,
        tokens=inputs.tokens,
        text=inputs.text is not None,
        target=None,
        split=None,
    )
    with connect(work) as connection:
        stage = SequenceStage(connection, data, SequenceSplitConfig(), columns)
        stage.create()
        for source in _found(data):
            stage.add(source)
        yield StagedSequences(stage, inputs)


def _found(data: SequenceDataConfig) -> list[Source]:
    """The input's files, whose endings say what they are; where they do not, the configuration."""
    try:
        return find(data.model_copy(update={"format": "auto"}), Path.cwd(), called="--input")
    except BadInputError:
        return find(data, Path.cwd(), called="--input")


def _sequence(pieces: list[Any], names: dict[str, str]) -> InputSequence:
    import pyarrow as pa

    table = pa.concat_tables(pieces)
    values = {
        name: table.column(column).to_numpy()
        if column.startswith("v")
        else np.asarray(table.column(column).to_pylist(), object)
        for column, name in names.items()
    }
    return InputSequence(str(table.column("sequence")[0].as_py()), values)
