"""A piece of a growing source on its way into a span: `rows.parquet` and `piece.json`."""

from __future__ import annotations

from pathlib import Path

from components.ingest.rejects import Reject
from components.ingest.report import SourceReport
from models.section import Section

FILE = "piece.json"


class BadRow(Section):
    """A `Reject` as JSON."""

    source: str
    number: int
    reason: str
    column: str
    value: str
    raw: str
    unit: str


class Piece(Section):
    """What a growing source holds of one period.

    Attributes:
        source: The source; its rows are those of this period, good or bad, and its digest is of
            the good ones.
        dropped: Bad rows of this period, by reason.
        unplaced: Bad rows of the whole source whose time is unknown, by reason; they are given to
            the newest period that was read.
        bad: The first of both.
    """

    source: SourceReport
    dropped: dict[str, int]
    unplaced: dict[str, int]
    bad: tuple[BadRow, ...]

    def rejects(self) -> list[Reject]:
        """The bad rows."""
        return [Reject(**row.model_dump()) for row in self.bad]


def bad_row(reject: Reject) -> BadRow:
    """A bad row as JSON."""
    return BadRow(
        source=reject.source,
        number=reject.number,
        reason=reject.reason,
        column=reject.column,
        value=reject.value,
        raw=reject.raw,
        unit=reject.unit,
    )


def save(piece: Piece, folder: Path) -> None:
    """Writes `piece.json`."""
    (folder / FILE).write_text(piece.canonical_json())


def load(folder: Path) -> Piece:
    """The piece in `folder`."""
    return Piece.from_json((folder / FILE).read_text())
