"""What a model says about its windows, read back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.errors import BadInputError
from models.export.metadata import describe
from models.history.labels import label_times
from models.history.recipe import DataDescription, WindowRecipe
from models.roles import Covariates, Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec

SPEC = WindowSpec(lookback=4, horizon=3, gap=1)
ROLES = Roles(targets=("y",), covariates=Covariates(future=("f",), static=("kind",)))
DATA = DataDescription(
    time="when",
    series="id",
    gaps=GapsConfig(max=2, fill="mean"),
    boundaries=(0, 1, 2, 3),
    means={"a": (0.1, None)},
)


def metadata(**change: Any) -> dict[str, Any]:
    extra = {"data": DATA.model_dump(mode="json")}
    made = describe(SPEC, ROLES, "MS", ("kind",), extra, streaming=None, refusal=None)
    return {k: v for k, v in {**json.loads(json.dumps(made)), **change}.items() if v != "gone"}


def test_the_recipe_comes_back_whole() -> None:
    recipe = WindowRecipe.of(metadata(), "m")
    assert (recipe.spec, recipe.roles, recipe.data) == (SPEC, ROLES, DATA)
    assert recipe.step.alias == "MS"
    assert recipe.text == ("kind",)
    assert recipe.futures.tolist() == [False, True]
    np.testing.assert_array_equal(recipe.means("a"), [0.1, np.nan])
    assert np.isnan(recipe.means("new")).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": "gone"}, "older version"),
        ({"data": {"time": "when", "gapz": 1}}, "gapz"),
        ({"roles": {"targets": []}}, "does not read"),
        ({"spec": "gone"}, "does not read"),
        ({"text": None}, "does not read"),
    ],
)
def test_what_cannot_be_read_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words) as caught:
        WindowRecipe.of(metadata(**change), "version 7 of m")
    assert "version 7 of m" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("alias", ["h", "15min", "W-SAT", "MS", "ME", "B", "QS"])
def test_label_times_are_the_steps_after_the_origin(alias: str) -> None:
    import pandas as pd

    recipe = WindowRecipe.of(metadata(frequency=alias), "m")
    offset = pd.tseries.frequencies.to_offset(alias)
    index = pd.date_range("2023-11-03 05:30", periods=40, freq=alias).append(
        pd.date_range("1969-01-01 00:00", periods=15, freq=alias)
    )
    origins = index.to_numpy().astype("datetime64[s]").astype(np.int64)
    got = label_times(recipe.step, recipe.spec, origins)
    expected = [[(t + k * offset).timestamp() for k in (2, 3, 4)] for t in index]
    np.testing.assert_array_equal(got, np.asarray(expected, np.int64))
