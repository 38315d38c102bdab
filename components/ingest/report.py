"""`IngestReport`: what ingestion read, kept and dropped; the file `report.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from models.section import Section

FILE = "report.json"


class SourceReport(Section):
    """One file or database table as it was read; `sha256` is of its bytes (rows, for a table)."""

    name: str
    rows: int
    bytes: int
    sha256: str


class SeriesHoles(Section):
    """The missing steps of one series, between its first and last row."""

    series: str
    holes: int
    missing_steps: int
    longest: int


class IngestReport(Section):
    """What ingestion did. Times are Unix seconds UTC; `boundaries` are half-open.

    Attributes:
        sources: The files or tables read, in the order of their names.
        rows_read: Records in the sources, good or bad.
        rows_kept: Rows written, over the three splits.
        rows_unused: Good rows after the end of the test split (only with `split.train`).
        exact_duplicates: Rows dropped because another says the same.
        dropped: Bad rows dropped, by reason (`data.on_bad_rows: drop`).
        series: Number of series.
        series_ids: The first ids, sorted, at most `MAX_LISTED`.
        first: Time of the first row kept or unused.
        last: Time of the last row kept or unused.
        frequency: Canonical pandas offset alias.
        steps: Steps of the grid from `first` to `last`, both included.
        boundaries: Start of train, validation and test, and the end of test, exclusive.
        split_rows: Rows by split.
        missing: Missing values by column, over good rows.
        static_types: `number` or `text` by static covariate.
        holes: Stretches of missing steps, over all series.
        missing_steps: Steps missing in them.
        longest_hole: Steps of the longest.
        worst_series: The series that miss the most steps, at most `MAX_LISTED`.
        digest: Of the normalised content: equal for equal data in whatever files and order.
        bytes: Size of the Parquet files written.
    """

    sources: tuple[SourceReport, ...]
    rows_read: int
    rows_kept: int
    rows_unused: int
    exact_duplicates: int
    dropped: dict[str, int]
    series: int
    series_ids: tuple[str, ...]
    first: int
    last: int
    frequency: str
    steps: int
    boundaries: tuple[int, int, int, int]
    split_rows: dict[str, int]
    missing: dict[str, int]
    static_types: dict[str, str]
    holes: int
    missing_steps: int
    longest_hole: int
    worst_series: tuple[SeriesHoles, ...]
    digest: str
    bytes: int

    @property
    def rows_dropped(self) -> int:
        """Bad rows dropped, over all reasons; exact duplicates are not among them."""
        return sum(self.dropped.values())

    def save(self, folder: Path) -> Path:
        """Writes `report.json` in one step: a folder that holds it is a finished ingestion."""
        return save_report(self, folder)

    @classmethod
    def load(cls, folder: Path) -> IngestReport:
        """The report in `folder`.

        Raises:
            FileNotFoundError: If ingestion did not finish there.
        """
        return cls.from_json((folder / FILE).read_text())


MAX_LISTED = 50
"""Most series that a report lists by name."""


def save_report(report: Section, folder: Path) -> Path:
    """Writes a report as `report.json` into `folder` in one step."""
    path = folder / FILE
    temporary = folder / f".{FILE}.{os.getpid()}"
    temporary.write_text(json.dumps(report.model_dump(mode="json"), indent=1) + "\n")
    temporary.replace(path)
    return path
