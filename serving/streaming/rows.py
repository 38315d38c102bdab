"""One row as people have it, a mapping or a series of pandas, as a data frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from models.errors import BadInputError
from models.history.recipe import WindowRecipe
from serving.history.times import read_times


def row_frame(row: Mapping[str, Any] | pd.Series[Any], recipe: WindowRecipe) -> pd.DataFrame:
    """The frame of one step of one series.

    Args:
        row: By column. A future covariate may be a sequence: its value at this step and at those
            that follow.
        recipe: The model's.

    Raises:
        BadInputError: If the time is missing, or a sequence is longer than the horizon.
    """
    values = dict(row)
    name = recipe.data.time
    if name not in values:
        raise BadInputError(f"the row has no {name!r}; it has {', '.join(map(str, values))}")
    futures = {
        column: _sequence(values[column], column, recipe)
        for column in recipe.roles.covariates.future
        if column in values
    }
    count = max([1, *map(len, futures.values())])
    if count > 1:
        seconds, clock = read_times(pd.Series([values[name]], name=name), recipe)
        start = int(seconds[0])
        grid = recipe.step.grid(start, recipe.step.shift(start, count - 1))
        if len(grid) == count:  # else off the grid, which is told later
            values[name] = clock.frame(grid)
    frame = pd.DataFrame({name: np.asarray(values[name]).reshape(-1)[:1]})
    if count > 1:
        frame = pd.DataFrame({name: values[name]})
    past = {*recipe.roles.dynamic} - futures.keys()
    for column, value in values.items():
        if column in futures:
            known = np.full(len(frame), np.nan)
            known[: len(futures[column])] = futures[column][: len(frame)]
            frame[column] = known
        elif column in past and len(frame) > 1:
            frame[column] = [value] + [None] * (len(frame) - 1)
        elif column != name:
            frame[column] = [value] * len(frame)
    return frame


def _sequence(value: Any, column: str, recipe: WindowRecipe) -> list[Any]:
    if not isinstance(value, (list, tuple, np.ndarray, pd.Series)):
        return [value]
    values = list(value)
    if not 1 <= len(values) <= 1 + recipe.spec.reach:
        raise BadInputError(
            f"{column!r} has {len(values)} values; expected at least its value at this step and "
            f"at most the {recipe.spec.reach} that follow too"
        )
    return values
