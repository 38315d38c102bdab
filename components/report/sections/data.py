"""Data and gaps of a forecast."""

from __future__ import annotations

from pathlib import Path

from components.ingest.report import IngestReport
from components.report.charts.series import series_chart
from components.report.page import ReportSection, Table
from components.report.words import NOTHING, count, moment, plural, share, size
from components.secrets import redacted
from models.windows.store import SeriesStore

MOST = 10
"""Rows of a table of columns, sources or series at most."""


def data_section(examples: Path, windows: Path | None) -> ReportSection:
    """What ingestion read, kept and dropped, and what is missing in it.

    Args:
        examples: The Examples artifact.
        windows: The Windows artifact, for the drawing; None where the run did not come so far.
    """
    report = IngestReport.load(examples)
    drawn = None if windows is None else series_chart(SeriesStore.load(windows))
    return ReportSection(
        "data",
        "Data",
        facts=_facts(report),
        tables=(_splits(report), _columns(report), _worst(report), _sources(report)),
        charts=() if drawn is None else (drawn,),
    )


def _facts(report: IngestReport) -> tuple[tuple[str, str], ...]:
    dropped = [
        *((reason, number) for reason, number in report.dropped.items()),
        *([("exact duplicates", report.exact_duplicates)] if report.exact_duplicates else []),
    ]
    gone = ", ".join(f"{count(number)} {reason}" for reason, number in dropped)
    whole = report.rows_kept + report.rows_unused + report.missing_steps
    holes = (
        f"{plural(report.holes, 'hole')}: {plural(report.missing_steps, 'step')} "
        f"({share(report.missing_steps, whole)}), the longest {count(report.longest_hole)}"
    )
    return (
        ("range", f"{moment(report.first)} to {moment(report.last)}"),
        ("step", report.frequency),
        ("series", count(report.series)),
        ("rows kept", f"{count(report.rows_kept)} of {count(report.rows_read)}"),
        ("rows dropped", gone or "none"),
        ("rows after the test split", count(report.rows_unused)),
        ("missing steps", holes if report.holes else "none"),
        ("size", size(report.bytes)),
    )


def _splits(report: IngestReport) -> Table:
    ends = report.boundaries
    rows = tuple(
        (split, moment(ends[i]), moment(ends[i + 1]), count(number))
        for i, (split, number) in enumerate(report.split_rows.items())
    )
    return Table("Splits, by time", ("split", "from", "until before", "rows"), rows, left=3)


def _columns(report: IngestReport) -> Table:
    rows = report.rows_kept + report.rows_unused
    worst = sorted(report.missing.items(), key=lambda pair: -pair[1])[:MOST]
    cells = tuple((name, count(n), share(n, rows)) for name, n in worst if n)
    return Table("Columns with missing values", ("column", "missing", "of all rows"), cells)


def _worst(report: IngestReport) -> Table:
    rows = tuple(
        (one.series or NOTHING, count(one.holes), count(one.missing_steps), count(one.longest))
        for one in report.worst_series[:MOST]
        if one.missing_steps and report.series > 1
    )
    return Table(
        "Series that miss the most steps", ("series", "holes", "missing steps", "longest"), rows
    )


def _sources(report: IngestReport) -> Table:
    rows = [
        (redacted(source.name), source.sha256[:16], count(source.rows), size(source.bytes))
        for source in report.sources[-MOST:]
    ]
    earlier = len(report.sources) - len(rows)
    title = f"Sources ({count(earlier)} earlier ones are not listed)" if earlier else "Sources"
    return Table(title, ("source", "SHA-256", "rows", "size"), tuple(rows), left=2)
