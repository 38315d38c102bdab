"""A work done by all its sides, in turns: seconds, ratios, shares of the peak."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cells import data, flops
from benchmarks.cells.figures import Figure, share_of_peak, times_faster
from benchmarks.cells.recipes import Recipe
from benchmarks.cells.rounds import interleaved
from benchmarks.cells.sameness import same_answers, same_training
from benchmarks.cells.side import Side
from benchmarks.cells.stolen import least_disturbed
from benchmarks.cells.work import Call, Work


@dataclass(frozen=True)
class Measured:
    """What came of a work.

    Attributes:
        name: Of the work.
        kind: `training` or `calls`.
        recipes: By side, in the order of the table.
        seconds: By side, of one training step or one call.
        stolen: By side, the share of processor time that others took in each turn that counts.
        flops: Of one step or call, see `benchmarks.cells.flops`.
        peak: FLOP/s of a large product on this machine, the better of the libraries, by round.
        facts: By side, what its process says of itself.
        losses: By side, those of the first and the last turn; empty for calls.
        work: Its JSON.
    """

    name: str
    kind: str
    recipes: Mapping[str, Recipe]
    seconds: Mapping[str, Figure]
    stolen: Mapping[str, Figure]
    flops: float
    peak: Figure
    facts: Mapping[str, Any]
    losses: Mapping[str, tuple[float, float]]
    work: Mapping[str, Any]

    def ratio(self, ours: str, theirs: str) -> Figure:
        """How many times as fast as `theirs` `ours` is."""
        return times_faster(self.seconds[ours], self.seconds[theirs])

    def share(self, side: str) -> Figure:
        """Share of the peak."""
        return share_of_peak(self.flops, self.seconds[side], self.peak)

    def json(self) -> dict[str, Any]:
        """Everything, with the ratio of each pair of sides."""
        return {
            "name": self.name,
            "kind": self.kind,
            "work": dict(self.work),
            "flops": self.flops,
            "peak_gflops": Figure.of([p / 1e9 for p in self.peak.values]).json(),
            "sides": {
                name: {
                    "recipe": recipe.words,
                    "environment": dict(recipe.environment),
                    "facts": self.facts[name],
                    "losses": list(self.losses.get(name, ())),
                    "seconds": self.seconds[name].json(),
                    "stolen": self.stolen[name].json(),
                    "share_of_peak": self.share(name).json(),
                    "times_as_fast_as": {
                        other: self.ratio(name, other).json()
                        for other in self.recipes
                        if other != name
                    },
                }
                for name, recipe in self.recipes.items()
            },
        }


def measure(
    work: Work | Call,
    sides: Sequence[Recipe],
    pythons: Mapping[str, Path],
    folder: Path,
    *,
    device: str,
    rounds: int,
) -> Measured:
    """Lets every side do the work, in turns; the first turn of each is a warm-up and not counted.

    Turns in which others took processor time are taken again, see `benchmarks.cells.stolen`.

    Args:
        work: A training work, or calls.
        sides: Who does it.
        pythons: The interpreters by the names that recipes have for them.
        folder: An empty folder for data and for the words of processes.
        device: `cpu` or `gpu`.
        rounds: Turns of each side that count.

    Raises:
        NotTheSameWorkError: If the sides disagree.
        SideFailedError: If a process ends.
    """
    recipes = {recipe.name: recipe for recipe in sides}
    training = work if isinstance(work, Work) else work.work
    data.write(training, folder)
    arguments = ["--work", json.dumps(work.json()), "--folder", str(folder), "--device", device]
    with ExitStack() as stack:
        running = {
            recipe.name: stack.enter_context(
                Side(recipe, pythons[recipe.python], arguments, folder / "words.txt")
            )
            for recipe in sides
        }
        facts = {name: side.ask("check") for name, side in running.items()}
        if isinstance(work, Work):
            same_training(work, recipes, facts)
        else:
            same_answers(facts)
        first = {name: side.ask("turn")["loss"] for name, side in running.items()}
        last: dict[str, Any] = {}
        stolen: dict[str, list[float]] = {name: [] for name in running}

        def turn(name: str) -> float:
            answer, share = least_disturbed(lambda: running[name].ask("turn"))
            last[name] = answer["loss"]
            stolen[name].append(share)
            return float(answer["seconds"]) / float(answer["steps"])

        found = interleaved(list(running), rounds, turn)
        # A library each: whichever multiplies faster shows what the machine can do.
        libraries = {recipe.python: recipe.name for recipe in reversed(sides)}
        peaks = interleaved(
            list(libraries.values()),
            rounds,
            lambda name: least_disturbed(lambda: running[name].ask("peak"))[0]["gflops"],
        )
    if isinstance(work, Work):
        losses = {name: (first[name], last[name]) for name in running}
        operations = flops.of_step(work, work.batch, data.rows_read(work, folder))
    else:
        losses, operations = {}, flops.of_call(work)
    return Measured(
        name=work.name,
        kind="training" if isinstance(work, Work) else "calls",
        recipes=recipes,
        seconds={name: Figure.of(values) for name, values in found.items()},
        stolen={name: Figure.of(values) for name, values in stolen.items()},
        flops=operations,
        peak=Figure.of([1e9 * max(both) for both in zip(*peaks.values(), strict=True)]),
        facts=facts,
        losses=losses,
        work=work.json(),
    )
