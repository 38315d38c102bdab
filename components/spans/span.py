"""`Span`: one span in one version, as it is to be ingested."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from models.section import Section


class SpanFile(Section):
    """A file as it was when its content was read.

    Attributes:
        path: Absolute.
        bytes: Its size.
        mtime_ns: When it was changed last, in nanoseconds since 1970.
        sha256: Of its content.
    """

    path: str
    bytes: int
    mtime_ns: int
    sha256: str


class Span(Section):
    """A span to be ingested, or one that was.

    Attributes:
        number: TFX's span number: as the path has it, days since 1970-01-01, or pandas' number of
            a period.
        version: As the path has it, else how often the content changed.
        label: What messages call it.
        content: Digest of what is in it: of its files, or of its rows in a growing source.
        files: Its files; empty for a growing source.
        incoming: Folder with its rows, cut from a growing source; None for files.
    """

    number: int
    version: int
    label: str
    content: str
    files: tuple[SpanFile, ...] = ()
    incoming: str | None = None

    @property
    def title(self) -> str:
        """`2024-01-31`, or with its version where it is not the first: `2024-01-31 (version 2)`."""
        return f"{self.label} (version {self.version})" if self.version else self.label


def content_of(files: Sequence[SpanFile]) -> str:
    """Digest of the content of files, whatever they are called."""
    return hashlib.sha256("\n".join(sorted(f.sha256 for f in files)).encode()).hexdigest()
