"""Windows of a data frame, and the data frame of their forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import BadInputError
from models.history.batches import Batch, Pool
from models.history.labels import label_times
from models.history.names import answer_columns
from models.history.recipe import WindowRecipe
from models.history.refusal import Refusal
from models.history.series import Origins, SeriesHistory
from serving.history.frame import ONE, HistoryFrame
from serving.history.times import Clock, read_times

SHOWN = 5


@dataclass(frozen=True)
class Asked:
    """The windows of one call, in batches, and how its answer is written."""

    recipe: WindowRecipe
    clock: Clock
    batches: list[Batch]

    @classmethod
    def of(cls, frame: pd.DataFrame, recipe: WindowRecipe, origin: Any, size: int) -> Asked:
        """The windows that `frame` holds, one per series.

        Args:
            frame: Raw history; see `HistoryFrame.of`.
            recipe: The model's.
            origin: Time of the last input step; None: of each series, the last step with a target.
            size: Windows in a batch.

        Raises:
            BadInputError: If the frame cannot be used, or a series cannot be forecast.
        """
        history = HistoryFrame.of(frame, recipe)
        wanted: Origins = "last" if origin is None else _origin(origin, recipe)
        pool, refused, batches = Pool(recipe, size), [], []
        for series, time, values, static in history.rows():
            one = SeriesHistory(recipe, series, wanted)
            batches += list(pool.add(one.add(time, values), static))
            rest = one.finish()
            if isinstance(rest, Refusal):
                refused.append(rest)
            else:
                batches += list(pool.add(rest, static))
        if refused:
            raise BadInputError(_refusals(refused, len(history.series)))
        return cls(recipe, history.clock, [*batches, *pool.flush()])

    def answer(self, forecasts: Sequence[npt.NDArray[np.float32]]) -> pd.DataFrame:
        """A row for each series and step, in the order of both.

        Args:
            forecasts: For each batch, float32 `[windows, horizon, targets]`.
        """
        origin = np.concatenate([b.origin for b in self.batches])
        series = [s for b in self.batches for s in b.series]
        return table(self.recipe, self.clock, series, origin, np.concatenate(forecasts))


def table(
    recipe: WindowRecipe,
    clock: Clock,
    series: Sequence[str],
    origin: npt.NDArray[np.int64],
    forecast: npt.NDArray[np.float32],
) -> pd.DataFrame:
    """Forecasts in long form, with the columns of `answer_columns`; see there.

    Args:
        recipe: The model's.
        clock: How times are written.
        series: Ids, `[windows]`.
        origin: int64 `[windows]`, Unix seconds UTC.
        forecast: float32 `[windows, horizon, targets]`.
    """
    names, spec = answer_columns(recipe), recipe.spec
    times = label_times(recipe.step, spec, origin).reshape(-1)
    columns: dict[str, Any] = {}
    if recipe.data.series is not None:
        columns[names.series] = np.repeat(np.asarray(series, object), spec.horizon)
    columns[names.origin] = clock.frame(np.repeat(origin, spec.horizon))
    columns[names.time] = clock.frame(times)
    columns[names.step] = np.tile(np.arange(1, spec.horizon + 1), len(series))
    for i, target in enumerate(recipe.roles.targets):
        columns[target] = np.ascontiguousarray(forecast[:, :, i]).reshape(-1)
    return pd.DataFrame(columns)


def _origin(origin: Any, recipe: WindowRecipe) -> int:
    seconds, _ = read_times(pd.Series([origin], name="origin"), recipe)
    return int(seconds[0])


def _refusals(refused: Sequence[Refusal], series: int) -> str:
    if series == 1:
        name = refused[0].series
        where = "the series" if name == ONE else f"series {name!r}"
        return f"{where} cannot be forecast: {refused[0].reason}"
    lines = [f"  series {r.series!r}: {r.reason}" for r in refused[:SHOWN]]
    if len(refused) > len(lines):
        lines.append(f"  ... and {len(refused) - len(lines)} more")
    return "\n".join([f"{len(refused)} of {series} series cannot be forecast:", *lines])
