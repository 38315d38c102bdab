"""Forecasts as a long table: a row for each series, origin and step, a column for each target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.history.batches import Batch
from models.history.labels import label_times
from models.history.names import answer_columns
from models.history.recipe import WindowRecipe

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ForecastTable:
    """Makes Arrow tables of forecasts; the columns are those of `answer_columns`.

    Times of steps shorter than a day are instants in UTC; those of longer steps are dates, and
    have no zone. Steps count from 1, the first step of the horizon.
    """

    recipe: WindowRecipe
    series: bool

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""
        import pyarrow as pa

        names = answer_columns(self.recipe)
        time = pa.timestamp("s", None if self.recipe.step.is_date else "UTC")
        fields = [(names.series, pa.string())] if self.series else []
        fields += [(names.origin, time), (names.time, time), (names.step, pa.int32())]
        fields += [(target, pa.float32()) for target in self.recipe.roles.targets]
        return pa.schema(fields)

    def table(self, batch: Batch, forecast: npt.NDArray[np.float32]) -> pa.Table:
        """The rows of a batch.

        Args:
            batch: The windows.
            forecast: float32 `[windows, horizon, targets]`.
        """
        import pyarrow as pa

        spec, schema = self.recipe.spec, self.schema
        times = label_times(self.recipe.step, spec, batch.origin)
        columns: list[pa.Array] = []
        if self.series:
            ids = pa.array(batch.series, pa.string())
            columns.append(ids.take(pa.array(np.repeat(np.arange(len(batch)), spec.horizon))))
        origin = np.repeat(batch.origin, spec.horizon)
        for values in (origin, times.reshape(-1)):
            columns.append(pa.array(values).cast(schema.field(len(columns)).type))
        steps = np.tile(np.arange(1, spec.horizon + 1, dtype=np.int32), len(batch))
        columns.append(pa.array(steps))
        columns += [pa.array(values) for values in forecast.reshape(-1, forecast.shape[2]).T.copy()]
        return pa.Table.from_arrays(columns, schema=schema)
