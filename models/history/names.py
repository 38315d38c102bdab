"""The columns of a table of forecasts."""

from __future__ import annotations

from dataclasses import dataclass

from models.history.recipe import WindowRecipe


@dataclass(frozen=True)
class AnswerColumns:
    """Names of the columns beside the targets; `series` is `series` where the data has none."""

    series: str
    origin: str
    time: str
    step: str


def answer_columns(recipe: WindowRecipe) -> AnswerColumns:
    """The names: those of the data for series and time, and `origin` and `step`.

    Where the data has a column of such a name, underscores are added to ours.
    """
    data = recipe.data
    taken = {data.time, *recipe.roles.targets} | ({data.series} if data.series else set())

    def free(name: str) -> str:
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    series = data.series or free("series")
    return AnswerColumns(series, free("origin"), data.time, free("step"))
