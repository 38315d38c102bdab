"""Removes what a plan says: first from ML Metadata, then from the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.housekeeping.plan import Plan


@dataclass(frozen=True)
class Swept:
    """What came of it.

    Attributes:
        removed: What is gone.
        problems: One sentence for each item that could not be removed.
    """

    removed: tuple[Path, ...]
    problems: tuple[str, ...]


def sweep(
    plan: Plan,
    mark_deleted: Callable[[Sequence[int]], None],
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Swept:
    """Removes every item of `plan`.

    Killed before the artifacts are marked, nothing has happened; killed after it, no artifact that
    is still marked as live has lost a file, and the next plan holds what is left.

    Args:
        plan: Made with the workspace locked, which it still is.
        mark_deleted: Marks artifacts, by their ids, as deleted in ML Metadata, in one transaction.
        checkpoint: Called with the name of each step that is done (tests kill the process there).
    """
    artifacts = [artifact for item in plan.items for artifact in item.artifacts]
    if artifacts:
        mark_deleted(artifacts)
    checkpoint("marked")
    removed, problems = [], []
    for item in plan.items:
        try:
            _remove(item.path)
        except OSError as error:
            problems.append(f"{item.path} could not be removed: {error.strerror or error}")
            continue
        removed.append(item.path)
        checkpoint("removed")
    return Swept(tuple(removed), tuple(problems))


def _remove(path: Path) -> None:
    """Deletes a file, a link (never what it points to) or a folder with all in it."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        # Opens folder after folder without following links, so none can be put in its way.
        shutil.rmtree(path)
