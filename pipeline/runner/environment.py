"""What a failure of the machine means, in words: a full disk, a file that may not be written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
_FULL_WORDS = (
    "no space left on device",
    "database or disk is full",
    "disk quota exceeded",
    "file too large",
    "disk i/o error",  # sqlite's words where a file may not grow
)
_FORBIDDEN_WORDS = ("read-only file system", "permission denied", "readonly database")
_LOCKED_WORDS = ("database is locked", "concurrent writes aborted")
_DAMAGED_WORDS = ("disk image is malformed", "file is not a database")
METADATA = "metadata.db"
REMEDY = (
    "it knows the artifacts of earlier runs; what serves does not need it. Put a copy from before "
    "in its place, or move it away: the next run then computes everything anew. Then run again"
)


def explained(error: BaseException, workspace: Path) -> str:
    """What `error` says of the machine, and what to do; empty if it is of another kind.

    Native libraries give up with types of their own, so their words count, too.

    Args:
        error: As a component raised it.
        workspace: Of the run.
    """
    for link in _chain(error):
        number = getattr(link, "errno", None) if isinstance(link, OSError) else None
        text = str(link).lower()
        name = getattr(link, "filename", None) if number is not None else None
        what = str(name) if isinstance(name, (str, Path)) and name else str(workspace)
        if number in _FULL or any(words in text for words in _FULL_WORDS):
            return (
                f"{what} could not be written: the disk or a quota is full ({_free(workspace)}). "
                "Free space (elman gc shows what is no longer needed), then run again: what was "
                "finished is re-used"
            )
        if number in _FORBIDDEN or any(words in text for words in _FORBIDDEN_WORDS):
            return (
                f"{what} could not be read or written: it is read-only or belongs to somebody "
                "else. Change that, then run again: what was finished is re-used"
            )
        if any(words in text for words in _LOCKED_WORDS):
            return (
                f"a database in {workspace} ({METADATA}, which knows the artifacts) is locked by "
                "another process. Find it (fuser or lsof names it), end it or wait for it, then "
                "run again"
            )
        if any(words in text for words in _DAMAGED_WORDS):
            return f"the metadata store {workspace / METADATA} is damaged; {REMEDY}"
    return ""


def _free(workspace: Path) -> str:
    try:
        return f"{shutil.disk_usage(workspace).free / 2**20:,.0f} MiB free at {workspace}"
    except OSError:
        return f"at {workspace}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
