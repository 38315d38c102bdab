"""`versions_in`: the folders of a base path that are named like versions."""

from __future__ import annotations

import os
import re
from pathlib import Path

LARGEST = 2**63 - 1
"""Versions are int64 in every request."""
_NAME = re.compile(r"[0-9]{1,64}")


def versions_in(base: Path) -> dict[int, Path] | None:
    """The version folders in `base`, newest first.

    A version is a folder with a decimal number for a name and nothing else: no sign, blank or
    letter. Leading zeros are allowed; of several names for the same number the plain one counts, or
    else the first in order. Files are no versions, nor is a link that leads out of `base`.

    Returns:
        Folders by version; None if `base` cannot be listed (TF Serving calls that an error, and
        leaves what is loaded as it is).
    """
    try:
        with os.scandir(base) as entries:
            names = sorted(e.name for e in entries if _NAME.fullmatch(e.name) and _inside(base, e))
    except OSError:
        return None
    found: dict[int, Path] = {}
    for name in names:
        version = int(name)
        if version <= LARGEST and (version not in found or name == str(version)):
            found[version] = base / name
    return {version: found[version] for version in sorted(found, reverse=True)}


def _inside(base: Path, entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_dir():
            return False
        if not entry.is_symlink():
            return True
        return Path(entry.path).resolve().is_relative_to(base.resolve())
    except (OSError, RuntimeError):  # a link in a circle
        return False
