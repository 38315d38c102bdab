"""`next_action`: in which order versions are loaded and dropped, so that one is always there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Phase(Enum):
    """How far the manager is with a version."""

    NEW = auto()
    """To be loaded."""
    LOADING = auto()
    READY = auto()
    UNLOADING = auto()
    ENDED = auto()
    """Dropped after it was ready."""
    FAILED = auto()
    """Could not be loaded, or is not complete yet."""


@dataclass(frozen=True)
class Snapshot:
    """A version as `next_action` sees it."""

    version: int
    phase: Phase
    aspired: bool


@dataclass(frozen=True)
class Action:
    """Load (or drop) the version at `index` of the snapshots."""

    load: bool
    index: int


def next_action(versions: Sequence[Snapshot]) -> Action | None:
    """What to do next about a model; None: nothing, for now.

    The availability preserving policy of TF Serving: a version that is no longer aspired is dropped
    (the lowest first) only if another is ready, or if no version is aspired at all. If there is
    nothing to drop, the highest new version is loaded.
    """
    wanted = [each for each in versions if each.aspired]
    serving = any(each.phase is Phase.READY for each in wanted)
    leftover = [
        index
        for index, each in enumerate(versions)
        if each.phase is Phase.READY and not each.aspired
    ]
    if leftover and (not wanted or serving or len(leftover) > 1):
        return Action(load=False, index=min(leftover, key=lambda i: versions[i].version))
    new = [i for i, each in enumerate(versions) if each.aspired and each.phase is Phase.NEW]
    if new:
        return Action(load=True, index=max(new, key=lambda i: versions[i].version))
    return None
