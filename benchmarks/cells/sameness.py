"""Do all sides compute the same thing? Times of different work say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.cells.recipes import Recipe
from benchmarks.cells.work import Work

AGREE = 1e-4
"""Relative, of loss and gradient norm; and of forecasts, whose values are about one."""


class NotTheSameWorkError(RuntimeError):
    """Two sides do not compute the same thing, or one does not learn."""


def same_training(
    work: Work, recipes: Mapping[str, Recipe], facts: Mapping[str, Mapping[str, Any]]
) -> None:
    """Compares loss and gradient norm of the first batch, from equal weights, and parameters.

    PyTorch's LSTM and RNN have a second bias beside each of Keras', which starts at zero and whose
    gradient is that of the first; its workers leave it out of the norm.

    Raises:
        NotTheSameWorkError: If they differ.
    """
    names = list(recipes)
    for name in names:
        ours = recipes[name].python == "own"
        wanted = work.parameters if ours else work.torch_parameters
        if facts[name]["parameters"] != wanted:
            raise NotTheSameWorkError(
                f"{work.name}: {name} trains {facts[name]['parameters']} values, expected {wanted}"
            )
        for what in ("loss", "gradient_norm"):
            one, other = facts[names[0]][what], facts[name][what]
            if not abs(one - other) <= AGREE * abs(one):
                raise NotTheSameWorkError(
                    f"{work.name}: from equal weights, the first batch has a {what} of {one:.7g} "
                    f"with {names[0]} and of {other:.7g} with {name}"
                )


def same_answers(facts: Mapping[str, Mapping[str, Any]]) -> float:
    """Compares forecasts, by side under `forecasts`; returns the largest difference.

    Raises:
        NotTheSameWorkError: If they differ.
    """
    names = list(facts)
    first = np.asarray(facts[names[0]]["forecasts"])
    largest = 0.0
    for name in names[1:]:
        other = np.asarray(facts[name]["forecasts"])
        if other.shape != first.shape:
            raise NotTheSameWorkError(
                f"{names[0]} answers values of shape {first.shape}, {name} of {other.shape}"
            )
        difference = float(np.abs(other - first).max())
        if not difference <= AGREE:  # so that nan is refused, too
            raise NotTheSameWorkError(
                f"forecasts of {name} differ by {difference:.3g} from those of {names[0]}"
            )
        largest = max(largest, difference)
    return largest


def must_fall(losses: Mapping[str, tuple[float, float]]) -> None:
    """Refuses a side that does not learn.

    Args:
        losses: By side, the mean loss of its first turn and of its last.

    Raises:
        NotTheSameWorkError: If one has not fallen.
    """
    for name, (first, last) in losses.items():
        if not last < first:
            raise NotTheSameWorkError(
                f"{name}: its mean loss was {first:.6g} in the first turn and {last:.6g} in the "
                "last: it does not learn what the others learn"
            )
