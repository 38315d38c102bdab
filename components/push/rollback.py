"""`elman rollback`: back to the previous version, in the model directory and in the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.push.publish import follow
from components.push.registry import ChampionRegistry
from components.push.repository import ModelRepository
from models.errors import ElmanError


@dataclass(frozen=True)
class RolledBack:
    """What came of a rollback.

    Attributes:
        removed: The version that no longer serves.
        live: The version that serves now.
        problem: Why the registry's alias could not be moved; empty if it was. The next run moves
            it.
    """

    removed: int
    live: int
    problem: str = ""


def roll_back(
    directory: Path, registry: Callable[[], ChampionRegistry] | None = None
) -> RolledBack:
    """Takes the live version away and points the alias `champion` at the one before.

    The model server comes first: it falls back even if the tracking store is away. The model is
    remembered by its digest and not pushed again unless that is forced.

    Args:
        directory: The model directory.
        registry: Opens the registry; called after the model directory was changed. None: there
            is none.

    Raises:
        BadInputError: If there is no previous version.
        FailedRunError: If the directory cannot be changed.
    """
    repository = ModelRepository(directory)
    done = repository.rollback()
    problem = ""
    if registry is not None:
        try:
            follow(repository, registry())
        except ElmanError as error:
            problem = str(error)
    return RolledBack(done.removed, done.live, problem)
