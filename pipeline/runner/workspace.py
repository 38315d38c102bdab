"""The workspace when a run begins: writable, with whole stores, and no way out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from components.sqlite_file import refuse_damaged, refuse_locked
from models.errors import BadInputError, FailedRunError
from pipeline.runner.environment import METADATA, REMEDY

DEPTH = 3
"""Levels below the workspace at which a person may have put a link: artifacts/<node>/<run>."""


def prepare(workspace: Path) -> None:
    """Makes the workspace and sees that a run can write into it.

    Args:
        workspace: May be missing, and may be a link itself.

    Raises:
        FailedRunError: If it cannot be written.
        BadInputError: If something in it is a link that leads out of it.
    """
    try:
        (workspace / "logs").mkdir(parents=True, exist_ok=True)
        # Tried, not asked: root may write where a read-only disk lets nobody.
        probe = workspace / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise FailedRunError(
            f"The workspace {workspace} cannot be written: {error.strerror or error}. Make it "
            "writable, free space on its disk, or give another folder as workspace."
        ) from error
    refuse_links_out(workspace)


def refuse_links_out(workspace: Path) -> None:
    """Refuses links inside the workspace that lead out of it.

    What a run writes stays in the workspace: a link that somebody else put there must not make it
    overwrite files elsewhere. The workspace itself may be a link; that is its owner's choice. So
    is `serving.directory`.

    Raises:
        BadInputError: Naming the first one.
    """
    inside = workspace.resolve()
    for path in _links(inside, DEPTH):
        target = path.resolve()
        if not target.is_relative_to(inside):
            raise BadInputError(
                f"{path} is a link out of the workspace, to {target}; a run writes into its "
                "workspace only. Replace the link by a folder, or make the whole workspace a link; "
                "models may go elsewhere by serving.directory, runs by tracking.uri"
            )


def check_metadata(workspace: Path) -> None:
    """Refuses a metadata store that is damaged or locked.

    Raises:
        FailedRunError: If it is.
    """
    file = workspace / METADATA
    refuse_damaged(file, "the metadata store", REMEDY)
    refuse_locked(file, "the metadata store")


def _links(folder: Path, depth: int) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield Path(entry.path)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                yield from _links(Path(entry.path), depth - 1)
