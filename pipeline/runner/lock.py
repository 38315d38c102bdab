"""A lock on the workspace, so that two runs never write the same state."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import FailedRunError


@contextmanager
def locked(workspace: Path) -> Iterator[None]:
    """Holds `<workspace>/.lock` inside the block; the kernel lets it go when the process dies.

    Args:
        workspace: An existing folder.

    Raises:
        FailedRunError: If another process holds the lock; says which and since when.
    """
    path = workspace / ".lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FailedRunError(_who(path, workspace)) from None
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S %z")}, file)
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


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
