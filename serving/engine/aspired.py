"""`aspired`: which versions should be served, of those on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from serving.engine.settings import VersionPolicy


def aspired(
    policy: VersionPolicy, versions: Iterable[int], good: Callable[[int], bool]
) -> list[int]:
    """The versions to serve, newest first.

    The newest *n* are the newest *n* good ones, and with them whatever is newer and not good:
    waited for, or tried again, but nothing is given up for it. (TF Serving counts broken versions
    too; after a restart it serves nothing where the newest version is broken.)

    Args:
        policy: Of the model.
        versions: On disk.
        good: Whether a version is loaded, or complete and not known to be broken. Asked only as far
            as needed.
    """
    ordered = sorted(versions, reverse=True)
    if policy.specific is not None:
        return [version for version in ordered if version in policy.specific]
    if policy.latest is None:
        return ordered
    chosen: list[int] = []
    enough = 0
    for version in ordered:
        if enough == policy.latest:
            break
        chosen.append(version)
        enough += good(version)
    return chosen
