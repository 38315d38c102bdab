"""Which files there are of which span and version."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.spans.pattern import SpanPattern
from components.spans.span import SpanFile
from models.errors import BadInputError


@dataclass(frozen=True)
class Listed:
    """The newest version of a span: `version` is None where the path names none."""

    number: int
    version: int | None
    label: str
    paths: tuple[Path, ...]


def list_spans(path: str, base: Path) -> Mapping[int, Listed]:
    """The newest version of every span that `path` names now, by number; contents are not read.

    Args:
        path: A `SpanPattern`.
        base: The folder that a relative path starts from.

    Raises:
        BadInputError: If a file that fits the path has no number or day, or one span (and version)
            is written in two ways.
    """
    pattern = SpanPattern.parse(str(Path(path).expanduser()))
    prefix = "" if Path(pattern.path).is_absolute() else f"{base}/"
    newest: dict[int, tuple[int | None, str, list[Path]]] = {}
    for found in sorted(glob.glob(f"{glob.escape(prefix)}{pattern.glob}", recursive=True)):  # noqa: PTH207
        if not Path(found).is_file():
            continue
        number, version, written = pattern.numbers(found.removeprefix(prefix))
        known = newest.get(number)
        if known is None or (version is not None and known[0] is not None and version > known[0]):
            newest[number] = (version, written, [Path(found)])
        elif version == known[0]:
            if written != known[1]:
                what = f"span {pattern.label(number)}"
                raise BadInputError(
                    f"data.path {path!r}: {known[2][0]} and {found} are both {what}"
                    f"{'' if version is None else f' version {version}'}; remove one of them"
                )
            known[2].append(Path(found))
    return {
        number: Listed(number, version, pattern.label(number), tuple(paths))
        for number, (version, _, paths) in sorted(newest.items())
    }


def read_content(path: Path) -> SpanFile:
    """A file with the digest of its content, which is read.

    Raises:
        BadInputError: If it cannot be read.
    """
    try:
        stat = path.stat()
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from None
    return SpanFile(path=str(path), bytes=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=sha256)


def look(path: Path, known: Mapping[str, SpanFile]) -> SpanFile:
    """A file with the digest of its content, read only if size or time of change are others.

    Args:
        path: The file.
        known: Files as they were, by path.

    Raises:
        BadInputError: If it cannot be read.
    """
    before = known.get(str(path))
    try:
        stat = path.stat()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from None
    if before is not None and (before.bytes, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return before
    return read_content(path)
