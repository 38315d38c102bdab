"""An exclusive lock between processes, held as long as a block runs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import FailedRunError


@contextmanager
def file_lock(path: Path, what: str, *, timeout: float = 60.0) -> Iterator[None]:
    """Holds `path` exclusively; the kernel lets go when the process ends, however it ends.

    Args:
        path: The lock file; made if missing, never deleted (deleting it would let two in).
        what: What is locked, for the message: `model directory /srv/co2`.
        timeout: Seconds to wait for another holder.

    Raises:
        FailedRunError: If another process still holds it after `timeout` seconds.
    """
    # O_NOFOLLOW: a planted link must not make us create a file somewhere else.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise FailedRunError(
                        f"another process has been using the {what} for {timeout:g} s "
                        f"(lock file {path}); wait for it to end, or end it, and try again"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
