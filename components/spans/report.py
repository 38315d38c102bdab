"""`SpanReport`: what one span held; the file `report.json` of its Examples."""

from __future__ import annotations

from pathlib import Path

from components.ingest.report import FILE, SourceReport
from models.section import Section


class SpanReport(Section):
    """What the ingestion of one span did. Times are Unix seconds UTC.

    Attributes:
        span: Its number.
        version: Its version; counts the changes where the source names none.
        label: What messages call it.
        sources: The files or tables read.
        rows_read: Records in them, good or bad.
        rows: Good rows, as kept in `rows.parquet`.
        dropped: Bad rows dropped, by reason (`data.on_bad_rows: drop`).
        unplaced: Bad rows of a growing source whose time is unknown, by reason, in the whole
            source as it was when this span was read; no part of `rows_read` and `dropped`.
        first: Time of the first good row; None if there is none.
        last: Time of the last good row.
        missing: Missing values by column, over good rows.
        digest: Of the good rows, in whatever order.
    """

    span: int
    version: int
    label: str
    sources: tuple[SourceReport, ...]
    rows_read: int
    rows: int
    dropped: dict[str, int]
    unplaced: dict[str, int]
    first: int | None
    last: int | None
    missing: dict[str, int]
    digest: str

    @classmethod
    def load(cls, folder: Path) -> SpanReport:
        """The report in `folder`.

        Raises:
            FileNotFoundError: If the ingestion of the span did not finish there.
        """
        return cls.from_json((folder / FILE).read_text())
