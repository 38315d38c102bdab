"""Results made up for tests."""

from __future__ import annotations

from benchmarks.cells import recipes
from benchmarks.cells.figures import Figure
from benchmarks.cells.measure import Measured
from benchmarks.cells.work import CALLS, TRAINING, Call, Work


def made_up(work: Work | Call, seconds: float = 1.0) -> Measured:
    """The first side takes `seconds`, each one after it half as long as the one before."""
    training = isinstance(work, Work)
    sides = recipes.training_sides(work, "cpu") if training else recipes.call_sides(work)
    return Measured(
        name=work.name,
        kind="training" if training else "calls",
        recipes={recipe.name: recipe for recipe in sides},
        seconds={
            recipe.name: Figure.of([f * seconds / 2**i for f in (1.0, 3.0, 2.0)])
            for i, recipe in enumerate(sides)
        },
        stolen={recipe.name: Figure.of([0.0, 0.02, 0.01]) for recipe in sides},
        flops=1e9,
        peak=Figure.of([4e9] * 3),
        facts={recipe.name: {"versions": {}} for recipe in sides},
        losses={recipe.name: (2.0, 1.0) for recipe in sides} if training else {},
        work=work.json(),
    )


WORKS: tuple[Work | Call, ...] = (*TRAINING, *CALLS)
