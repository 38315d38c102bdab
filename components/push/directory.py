"""What the names in a model directory mean, to a model server and to us."""

from __future__ import annotations

import re
from pathlib import Path

from models.errors import BadInputError
from models.export.metadata import model_digest

LARGEST = 2**63 - 1
"""TF Serving reads versions as int64 and passes over directories with larger names."""
_VERSION = re.compile(r"([0-9]+)")
_ROLLED_BACK = re.compile(r"\.rolled-back-([0-9]+)")
_RETIRED = re.compile(r"\.retired-([0-9]+)-[0-9a-f]+")
_STALE = re.compile(
    r"\.staging-[0-9a-f]+|\.retired-[0-9]+-[0-9a-f]+|\.history\.json\.[0-9a-f]+\.tmp"
)


def versions(base: Path) -> dict[int, Path]:
    """Directories that a model server reads as versions."""
    found = _matching(base, _VERSION)
    return {v: p for v, p in found.items() if v <= LARGEST and p.is_dir()}


def rolled_back(base: Path) -> dict[int, Path]:
    """Directories of rolled-back versions, which a model server passes over."""
    return _matching(base, _ROLLED_BACK)


def stale(base: Path) -> list[Path]:
    """What a killed push or deletion has left behind."""
    return [p for p in _entries(base) if _STALE.fullmatch(p.name)]


def retired(base: Path) -> tuple[int, ...]:
    """Versions whose deletion was begun and not finished."""
    return tuple(_matching(base, _RETIRED))


def highest_number(base: Path) -> int:
    """The highest version whose directory is there under any name; 0 if there is none."""
    return max([0, *versions(base), *rolled_back(base), *retired(base)])


def digest_of(folder: Path) -> str:
    """Digest of the model in `folder`; empty for one that is not ours and cannot be read."""
    try:
        return model_digest(folder)
    except (BadInputError, OSError):
        return ""


def _matching(base: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    named = ((pattern.fullmatch(p.name), p) for p in _entries(base))
    return {int(m.group(1)): p for m, p in named if m}


def _entries(base: Path) -> list[Path]:
    try:
        return sorted(base.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
