"""A digest of code, so that the cache notices when it changes."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("tensorflow", "keras", "tfx", "duckdb", "pyarrow", "numpy")


@cache
def source_digest(*parts: str) -> str:
    """Digest of the Python files under `parts` and of the versions of the libraries beneath.

    Args:
        parts: Folders or files relative to the folder that holds `models` and `components`,
            such as `models` or `components/ingest`.

    Returns:
        32 hexadecimal digits.

    Raises:
        FileNotFoundError: If a part does not exist.
    """
    digest = hashlib.sha256()
    for part in sorted(parts):
        path = ROOT / part
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    for library in LIBRARIES:
        try:
            digest.update(f"{library}=={version(library)}\0".encode())
        except PackageNotFoundError:
            digest.update(f"{library} missing\0".encode())
    return digest.hexdigest()[:32]
