"""Input files of tables with holes, and models that need no training."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.ingest.config import DataConfig
from models.export.feed import Feed
from models.history.recipe import WindowRecipe
from tests.models.history.tables import Table

DATA = DataConfig(path="elsewhere.csv", time="when", series="id", frequency="h")


class Echo:
    """A model whose forecast tells every value of its inputs apart from any other."""

    def __init__(self, recipe: WindowRecipe) -> None:
        self.recipe = recipe
        self.calls: list[int] = []

    def forecast(self, feed: Feed) -> npt.NDArray[np.float32]:
        """Sums of the inputs, each weighed by its place; float32 [windows, horizon, targets]."""
        targets, horizon = self.recipe.roles.targets, self.recipe.spec.horizon
        windows = len(next(iter(feed.values())))
        self.calls.append(windows)
        total = np.zeros((windows, horizon, len(targets)))
        for i, (_, values) in enumerate(sorted(feed.items())):
            if values.dtype == object:
                values = np.asarray([sum(map(ord, v)) for v in values])
            flat = values.reshape(windows, -1).astype(np.float64)
            weights = np.sin(1 + i + np.arange(flat.shape[1]))
            total += (flat @ weights)[:, None, None]
        place = np.arange(horizon)[:, None] + 10 * np.arange(len(targets))
        return (total + place).astype(np.float32)


def cells(table: Table, seed: int = 0) -> list[list[object]]:
    """The rows of a table, shuffled; the first is the header."""
    names = [*table.roles.dynamic, *table.roles.covariates.static]
    rows: list[list[object]] = []
    for series in table.steps:
        static = table.static(series)
        for time, values in zip(table.time(series), table.values[series], strict=True):
            numbers = [None if np.isnan(v) else float(v) for v in values]
            when = str(np.datetime64(int(time), "s")).replace("T", " ")
            rows.append([when, series, *numbers, *static.values()])
    np.random.default_rng(seed).shuffle(rows)  # type: ignore[arg-type]
    return [["when", "id", *names], *rows]


def write_csv(path: Path, rows: list[list[object]]) -> Path:
    """Writes rows with a header."""
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def write_parquet(path: Path, rows: list[list[object]]) -> Path:
    """Writes rows with a header."""
    columns = list(zip(*rows[1:], strict=True))
    pq.write_table(pa.table({str(n): list(c) for n, c in zip(rows[0], columns, strict=True)}), path)
    return path
