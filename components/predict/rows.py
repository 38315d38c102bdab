"""`StagedRows`: the rows of input files, checked as in training, series by series."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.ingest import clean, files
from components.ingest.columns import Wanted
from components.ingest.config import DataConfig
from components.ingest.ingest import read_files
from components.ingest.rejects import Tally
from components.ingest.stage import Stage, connect, explained
from components.ingest.statics import values_by_series
from components.ingest.write import sorted_rows, without_duplicates
from models.errors import BadInputError
from models.history.recipe import WindowRecipe

Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Consecutive rows of a series: Unix seconds `[n]` and values `[n, columns]`, nan where missing."""


@dataclass(frozen=True)
class SeriesRows:
    """One series: its id, its static covariates (float or str) and its rows in order of time.

    Use `blocks` up before asking for the next series.
    """

    series: str
    static: dict[str, Any]
    blocks: Iterator[Block]


@dataclass
class StagedRows:
    """All rows in a DuckDB table, out of core.

    Attributes:
        rows: Records read, good or bad.
        dropped: Bad rows dropped, by reason (`data.on_bad_rows: drop`).
        duplicates: Rows that say the same as another one.
    """

    stage: Stage
    recipe: WindowRecipe
    bad: Tally = field(default_factory=Tally)
    duplicates: int = 0

    @property
    def rows(self) -> int:
        """Records in the input, good or bad."""
        return sum(self.stage.rows)

    def settle(self) -> None:
        """Checks all rows, and refuses or drops the bad ones as configured.

        Raises:
            BadInputError: If there are bad rows and `data.on_bad_rows` is `fail`, no row is left,
                or the times are on no grid of the model's frequency.
        """
        clean.drop_bad(self.stage, self.bad)
        while True:
            clean.grid(self.stage, self.bad)
            clean.number_series(self.stage)
            conflicts: list[npt.NDArray[np.int64]] = []
            for _ in self._distinct(conflicts):
                pass
            if not conflicts:
                return
            clean.drop_conflicts(self.stage, self.bad, conflicts)

    def series(self) -> Iterator[SeriesRows]:
        """The series in the order of their ids.

        Raises:
            BadInputError: If a series has no value or two values of a static covariate.
        """
        named = values_by_series(self.stage, self.recipe.text)
        for _, pieces in groupby(self._pieces(), key=lambda piece: piece[0]):
            series, static = next(named)
            yield SeriesRows(series, static, ((time, values) for _, time, values in pieces))

    def _pieces(self) -> Iterator[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
        for ids, time, *columns in self._distinct([]):
            values = np.stack(columns, axis=1)
            edges = np.flatnonzero(np.diff(ids)) + 1
            for low, high in zip([0, *edges], [*edges, len(ids)], strict=True):
                yield int(ids[low]), time[low:high], values[low:high]

    def _distinct(
        self, conflicts: list[npt.NDArray[np.int64]]
    ) -> Iterator[tuple[npt.NDArray[Any], ...]]:
        """Sorted rows, each once; those that contradict the one before are noted."""
        previous: tuple[npt.NDArray[Any], ...] | None = None
        self.duplicates = 0
        with explained("input"):
            for rows in sorted_rows(self.stage):
                kept, clashes = without_duplicates(rows, previous)
                previous = tuple(column[-1:] for column in rows)
                self.duplicates += len(kept) - int(kept.sum())
                if len(clashes):
                    conflicts.append(clashes)
                if kept.any():
                    yield rows if kept.all() else tuple(column[kept] for column in rows)


@contextmanager
def staged(
    data: DataConfig, recipe: WindowRecipe, pattern: str, work: Path
) -> Iterator[StagedRows]:
    """Reads the files that `pattern` names as the configuration `data` says.

    Args:
        data: How files are read and which columns hold time and series; its source is not used.
        recipe: Of the model, which decides which columns are read.
        pattern: Path or glob of CSV, Parquet or JSON lines, from the working directory.
        work: An empty folder for what does not fit in memory.

    Raises:
        BadInputError: If a file cannot be read or lacks a column the model needs.
    """
    source = {"path": pattern, "url": None, "table": None, "query": None}
    data = data.model_copy(update={**source, "frequency": recipe.step.alias})
    found = _found(data)
    with connect(work) as connection:
        stage = Stage(connection, data, Wanted.of(data, recipe.roles), recipe.step)
        stage.create()
        read_files(stage, found)
        yield StagedRows(stage, recipe)


def _found(data: DataConfig) -> list[files.SourceFile]:
    """The input's files, whose endings say what they are; where they do not, the configuration."""
    try:
        return files.find(data.model_copy(update={"format": "auto"}), Path.cwd(), called="--input")
    except BadInputError:
        return files.find(data, Path.cwd(), called="--input")
