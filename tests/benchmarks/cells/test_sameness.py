"""Sides that do not do the same work are found out."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.cells import recipes
from benchmarks.cells.sameness import (
    NotTheSameWorkError,
    must_fall,
    same_answers,
    same_training,
)
from benchmarks.cells.work import TRAINING

WORK = TRAINING[0]
SIDES = {r.name: r for r in (recipes.KERAS, recipes.ELMAN, recipes.TORCH)}


def facts(**changed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {
        name: {
            "parameters": WORK.parameters if r.python == "own" else WORK.torch_parameters,
            "loss": 0.5 * (1 + 1e-6),
            "gradient_norm": 0.25,
        }
        for name, r in SIDES.items()
    }
    for name, values in changed.items():
        found[name].update(values)
    return found


def test_equal_work_passes() -> None:
    same_training(WORK, SIDES, facts(PyTorch={"loss": 0.5}))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"loss": 0.501}, "loss"),
        ({"loss": float("nan")}, "loss"),
        ({"gradient_norm": 0.2501}, "gradient_norm"),
        ({"parameters": WORK.parameters}, "trains"),
    ],
)
def test_other_work_is_refused(changed: dict[str, Any], word: str) -> None:
    with pytest.raises(NotTheSameWorkError, match=rf"PyTorch.*{word}|{word}.*PyTorch"):
        same_training(WORK, SIDES, facts(PyTorch=changed))


def test_other_forecasts_are_refused() -> None:
    one = {"forecasts": [[1.0, 2.0]]}
    assert same_answers({"a": one, "b": {"forecasts": [[1.0, 2.00001]]}}) == pytest.approx(1e-5)
    for other in ([[1.0, 2.001]], [[1.0, float("nan")]], [[1.0]]):
        with pytest.raises(NotTheSameWorkError):
            same_answers({"a": one, "b": {"forecasts": other}})


def test_a_loss_has_to_fall() -> None:
    must_fall({"a": (2.0, 1.0)})
    for last in (2.0, 3.0, float("nan")):
        with pytest.raises(NotTheSameWorkError, match="does not learn"):
            must_fall({"a": (2.0, 1.0), "b": (2.0, last)})
