"""The files behind `data.path`: globs, formats, digests, compression."""

from __future__ import annotations

import glob
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from components.ingest.config import DataConfig
from models.errors import BadInputError

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_BLOCK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """A file as found: `name` is how messages call it, `sha256` is of its bytes."""

    path: Path
    name: str
    format: str
    bytes: int
    sha256: str

    @property
    def gzipped(self) -> bool:
        """Whether the content is compressed with gzip."""
        return self.path.suffix == ".gz"

    def open(self) -> BinaryIO:
        """The content as bytes, decompressed."""
        if self.gzipped:
            return cast(BinaryIO, gzip.open(self.path, "rb"))
        return self.path.open("rb")


def find(data: DataConfig, base: Path, *, called: str = "data.path") -> list[SourceFile]:
    """The files that `data.path` names, sorted; each is read once, for its digest.

    Args:
        data: The configured source.
        base: The folder that a relative path starts from.
        called: What messages call the path.

    Raises:
        BadInputError: If nothing matches, or a file is empty, broken or of unknown format.
    """
    assert data.path is not None
    return matching(data.path, data.format, base, called=called)


def matching(path: str, format_: str, base: Path, *, called: str) -> list[SourceFile]:
    """The files that a path or glob names; see `find`.

    Args:
        path: The path or glob.
        format_: `auto`, or the format of all of them.
        base: The folder that a relative path starts from.
        called: What messages call the path.

    Raises:
        BadInputError: As `find`.
    """
    return [source_file(one, format_, base) for one in paths(path, base, called=called)]


def paths(path: str, base: Path, *, called: str = "data.path") -> list[Path]:
    """The files that a path or glob names, sorted; their contents are not read.

    Args:
        path: The path or glob.
        base: The folder that a relative path starts from.
        called: What messages call the path.

    Raises:
        BadInputError: If nothing matches, or it is a folder.
    """
    pattern = Path(path).expanduser()
    whole = str(pattern if pattern.is_absolute() else base / pattern)
    # Not Path.glob, which takes no absolute pattern.
    there = Path(whole).exists()
    found = [Path(p) for p in ([whole] if there else glob.glob(whole, recursive=True))]  # noqa: PTH207
    if len(found) == 1 and found[0].is_dir():
        example = f"{path.rstrip('/')}/*.csv"
        raise BadInputError(f"{called} {path!r} is a folder; name files, such as {example}")
    files = sorted(p for p in found if p.is_file())
    if not files:
        what = "matches no file" if glob.has_magic(whole) else "does not exist"
        raise BadInputError(f"{called} {path!r} {what} (looked for {whole})")
    return files


def fingerprint(files: list[SourceFile]) -> str:
    """Digest of the content of `files`; it does not change when they are touched or moved."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.sha256):
        digest.update(f"{file.format} {file.sha256}\n".encode())
    return digest.hexdigest()


def source_file(path: Path, configured: str, base: Path) -> SourceFile:
    """One file, read once for its digest.

    Args:
        path: Of the file, absolute.
        configured: `auto`, or its format.
        base: The folder that its name in messages starts from.

    Raises:
        BadInputError: If it is empty, broken or of unknown format.
    """
    name = str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
    if path.stat().st_size == 0:
        raise BadInputError(f"{name}: the file is empty")
    inner = path.with_suffix("") if path.suffix == ".gz" else path
    format_ = FORMATS.get(inner.suffix.lower()) if configured == "auto" else configured
    if format_ is None:
        raise BadInputError(
            f"{name}: cannot tell the format from the ending {inner.suffix!r}; set data.format to "
            "csv, parquet or jsonl"
        )
    if format_ == "parquet" and path.suffix == ".gz":
        raise BadInputError(f"{name}: Parquet is compressed inside; unpack the .gz file first")
    try:
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadInputError(f"{name}: cannot be read ({error.strerror})") from None
    file = SourceFile(path, name, format_, path.stat().st_size, sha256)
    if file.gzipped:
        _check_gzip(file)
    return file


def _check_gzip(file: SourceFile) -> None:
    # DuckDB does not check the CRC: a damaged file would be read as other values.
    try:
        with file.open() as stream:
            while stream.read(_BLOCK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise BadInputError(
            f"{file.name}: broken gzip file ({error}); fetch or write it again"
        ) from None
