"""`SequenceIngestReport`: what ingestion read, kept and dropped; the file `report.json`."""

from __future__ import annotations

from pathlib import Path

from components.ingest.report import FILE, SourceReport, save_report
from models.section import Section

MAX_CLASSES = 100
"""Most labels that a report counts."""


class SequenceIngestReport(Section):
    """What ingestion did.

    Attributes:
        sources: The files read, by split and name.
        rows_read: Records in the files, good or bad.
        rows_kept: Rows written, over the three splits.
        dropped: Bad rows, by reason (`data.on_bad_rows: drop`); the good rows of their sequences
            are dropped too and not counted here. Nobody can tell the sequence of a malformed
            line: its other rows stay.
        sequences: Sequences written.
        sequences_dropped: Sequences with a bad row.
        sequences_unused: Sequences whose value of the split column is in no split.
        split_sequences: Sequences by split.
        split_rows: Rows by split.
        shortest: Fewest rows of a sequence.
        longest: Most rows of a sequence.
        labels: By split, how many sequences (tag: steps) have which label; the `MAX_CLASSES` most
            frequent. Empty for next_step.
        repeated: By split but train, sequences whose inputs one in train has too.
        digest: Of the normalised content: equal for equal data in whatever files.
        bytes: Size of the Parquet files written.
    """

    sources: tuple[SourceReport, ...]
    rows_read: int
    rows_kept: int
    dropped: dict[str, int]
    sequences: int
    sequences_dropped: int
    sequences_unused: int
    split_sequences: dict[str, int]
    split_rows: dict[str, int]
    shortest: int
    longest: int
    labels: dict[str, dict[str, int]]
    repeated: dict[str, int]
    digest: str
    bytes: int

    @property
    def rows_dropped(self) -> int:
        """Bad rows dropped, over all reasons."""
        return sum(self.dropped.values())

    def save(self, folder: Path) -> Path:
        """Writes `report.json` in one step: a folder that holds it is a finished ingestion."""
        return save_report(self, folder)

    @classmethod
    def load(cls, folder: Path) -> SequenceIngestReport:
        """The report in `folder`.

        Raises:
            FileNotFoundError: If ingestion did not finish there.
        """
        return cls.from_json((folder / FILE).read_text(encoding="utf-8"))
