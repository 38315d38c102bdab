"""Push, then the registry: the alias `champion` follows the model directory, never leads it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from components.push.directory import digest_of
from components.push.registry import ChampionRegistry
from components.push.repository import Clock, ModelRepository, Push
from components.tracking.outage import StoreAwayError
from models.errors import FailedRunError


def publish(
    repository: ModelRepository,
    saved_model: Path,
    *,
    keep: int,
    registry: ChampionRegistry | None,
    force: bool = False,
    example: Path | None = None,
    clock: Clock = time.time,
    behind: Callable[[StoreAwayError], None] | None = None,
) -> Push:
    """Makes a model live and the champion, and retires old versions.

    Safe to repeat: what an earlier, killed call did not reach is done now.

    Args:
        repository: The model directory.
        saved_model: The model.
        keep: Versions to keep, the live one included.
        registry: Where the live version is registered; None: nowhere.
        force: Push a model that was rolled back before.
        example: Its `verification.npz`.
        clock: Unix seconds.
        behind: Told that the registry does not answer now, so that a later call has to make up
            for it; None: that is an error.

    Raises:
        BadInputError: As `ModelRepository.push`.
        FailedRunError: As `ModelRepository.push`, or if the registry cannot be used; the message
            says so where the model is live nevertheless.
    """
    pushed = repository.push(saved_model, clock=clock, force=force)
    try:
        follow(repository, registry, example=example if pushed.version is not None else None)
    except StoreAwayError as error:
        if behind is None:
            raise
        behind(error)
    repository.retire(keep, clock=clock)
    return pushed


def follow(
    repository: ModelRepository,
    registry: ChampionRegistry | None,
    *,
    example: Path | None = None,
) -> None:
    """Points the registry's alias at the live version, if there is one.

    Args:
        repository: The model directory.
        registry: The registry; None: nothing to do.
        example: `verification.npz` of the live model.

    Raises:
        StoreAwayError: If the registry does not answer now.
        FailedRunError: If the registry cannot be used.
    """
    live = repository.live()
    if registry is None or live is None:
        return
    folder = repository.path(live)
    digest = digest_of(folder)
    if not digest:
        return  # not a model of ours: there is nothing to register
    try:
        registry.make_champion(folder, version=live, digest=digest, example=example)
    except FailedRunError as error:
        words = f"version {live} is live in {repository.base}, but the registry does not know yet: "
        if isinstance(error, StoreAwayError):
            raise StoreAwayError(f"{words}{error}", reason=error.reason) from error
        raise FailedRunError(f"{words}{error}") from error
