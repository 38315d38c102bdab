"""`Lineage`: what ML Metadata knows of artifacts and executions, as plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Artifact:
    """One artifact.

    Attributes:
        id: In ML Metadata.
        uri: Its folder, an absolute path.
        live: Whether it is complete and was not removed: its state is LIVE.
    """

    id: int
    uri: str
    live: bool = True


@dataclass(frozen=True)
class Execution:
    """One execution of a node; also one whose outputs came from the cache.

    Attributes:
        id: In ML Metadata.
        pipeline: Name of its pipeline.
        run: Id of its run.
        node: Id of its node.
        inputs: Ids of the artifacts that it used, or found (a resolver's outputs).
        outputs: Ids of the artifacts that it made, or that the cache gave it in their place.
    """

    id: int
    pipeline: str
    run: str
    node: str
    inputs: frozenset[int] = frozenset()
    outputs: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Lineage:
    """All artifacts by id, and all executions."""

    artifacts: Mapping[int, Artifact]
    executions: tuple[Execution, ...]

    @cached_property
    def producers(self) -> Mapping[int, tuple[Execution, ...]]:
        """By artifact, the executions that have it as an output."""
        found: dict[int, list[Execution]] = defaultdict(list)
        for execution in self.executions:
            for artifact in execution.outputs:
                found[artifact].append(execution)
        return {artifact: tuple(executions) for artifact, executions in found.items()}

    def runs(self, pipelines: Set[str]) -> list[str]:
        """Ids of the runs of these pipelines, oldest first: an id is a time stamp."""
        return sorted({e.run for e in self.executions if e.pipeline in pipelines})


def needed(
    lineage: Lineage, own: Set[str], runs: Set[str], pinned: Iterable[int] = ()
) -> frozenset[int]:
    """Ids of all artifacts that have to stay.

    Those that the kept runs have used or made, those that are pinned, and everything that they were
    made from; with each of them what the same execution made beside it, for TFX takes from its
    cache all outputs of an execution or none. What other pipelines touch stays, whatever it is.

    Args:
        lineage: Of the whole workspace.
        own: Names of the pipelines that may lose artifacts.
        runs: Ids of the runs of these pipelines that are kept.
        pinned: Ids of further artifacts that stay.
    """
    open_: list[int] = list(pinned)
    for execution in lineage.executions:
        if execution.pipeline not in own or execution.run in runs:
            open_ += [*execution.inputs, *execution.outputs]
    kept: set[int] = set()
    while open_:
        artifact = open_.pop()
        if artifact in kept:
            continue
        kept.add(artifact)
        for execution in lineage.producers.get(artifact, ()):
            open_ += [*execution.inputs, *execution.outputs]
    return frozenset(kept)
