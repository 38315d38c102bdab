"""A lock on the workspace, so that two runs never write the same state."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from components.file_lock import file_lock
from models.errors import FailedRunError


class WorkspaceBusyError(FailedRunError):
    """Another process uses the workspace."""


@contextmanager
def locked(workspace: Path) -> Iterator[bool]:
    """Holds `<workspace>/.lock` inside the block; the kernel lets it go when the process dies.

    Args:
        workspace: An existing folder.

    Yields:
        Whether the process that held it before was killed inside its block.

    Raises:
        WorkspaceBusyError: If another process holds the lock; says which and since when.
    """
    path = workspace / ".lock"
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(path, f"workspace {workspace}", timeout=0.0))
        except FailedRunError:
            raise WorkspaceBusyError(_who(path, workspace)) from None
        killed = bool(path.read_text())
        since = time.strftime("%Y-%m-%d %H:%M:%S %z")
        path.write_text(json.dumps({"pid": os.getpid(), "since": since}))
        try:
            yield killed
        finally:
            path.write_text("")


def _who(path: Path, workspace: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        who = f"process {holder['pid']}, which started it at {holder['since']}"
    except (ValueError, KeyError):
        who = "another process"
    return (
        f"Another run uses the workspace {workspace}: {who}. Two runs of one workspace would "
        "overwrite each other; wait for it to end, or give this config a workspace of its own."
    )
