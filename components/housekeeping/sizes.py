"""How much disk folders take, and how much of it would be free without them."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

Inode = tuple[int, int]


def size_of(path: Path) -> int:
    """Bytes of all files in `path` (or of the file), a file with several links counted once."""
    return sum({inode: size for inode, size, _ in _files(path)}.values())


def freed_by(paths: Iterable[Path]) -> int:
    """Bytes that are free once `paths` are gone: not those of files that have links elsewhere."""
    sizes: dict[Inode, int] = {}
    links: dict[Inode, int] = defaultdict(int)
    total: dict[Inode, int] = {}
    for path in paths:
        for inode, size, count in _files(path):
            sizes[inode], total[inode] = size, count
            links[inode] += 1
    return sum(size for inode, size in sizes.items() if links[inode] >= total[inode])


def newest_change(path: Path) -> float:
    """Unix seconds of the last change of `path` or of anything in it."""
    times = [_stat(path)]
    for here, folders, files in os.walk(path):
        times += [_stat(Path(here, name)) for name in (*folders, *files)]
    return max((entry.st_mtime for entry in times if entry is not None), default=0.0)


def _files(path: Path) -> Iterator[tuple[Inode, int, int]]:
    """Of each file: what it is on disk, its bytes, and its links. Links to others have no bytes."""
    paths = [path]
    if not path.is_symlink():
        paths += [Path(here, name) for here, _, names in os.walk(path) for name in names]
    for file in paths:
        entry = _stat(file)
        if entry is not None and stat.S_ISREG(entry.st_mode):
            yield (entry.st_dev, entry.st_ino), entry.st_size, entry.st_nlink


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:  # removed meanwhile
        return None
