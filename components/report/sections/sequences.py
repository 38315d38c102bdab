"""Data of a task over whole sequences."""

from __future__ import annotations

from pathlib import Path

from components.report.page import ReportSection, Table
from components.report.words import NOTHING, count, plural, share, size
from components.secrets import redacted
from components.sequences.ingest.report import SequenceIngestReport

MOST = 15
"""Labels listed at most."""


def sequences_section(examples: Path) -> ReportSection:
    """What ingestion read, kept and dropped, and how often each label comes.

    Args:
        examples: The Examples artifact.
    """
    report = SequenceIngestReport.load(examples)
    gone = ", ".join(f"{count(number)} {reason}" for reason, number in report.dropped.items())
    again = ", ".join(f"{count(n)} in {split}" for split, n in report.repeated.items() if n)
    sources = tuple(
        (redacted(source.name), source.sha256[:16], count(source.rows), size(source.bytes))
        for source in report.sources[:MOST]
    )
    return ReportSection(
        "data",
        "Data",
        facts=(
            ("sequences", count(report.sequences)),
            ("rows kept", f"{count(report.rows_kept)} of {count(report.rows_read)}"),
            ("rows dropped", gone or "none"),
            ("sequences dropped", count(report.sequences_dropped)),
            ("sequences in no split", count(report.sequences_unused)),
            ("length", f"{count(report.shortest)} to {plural(report.longest, 'step')}"),
            ("sequences that train has too", again or "none"),
            ("size", size(report.bytes)),
        ),
        tables=(
            _splits(report),
            _labels(report),
            Table("Sources", ("source", "SHA-256", "rows", "size"), sources, left=2),
        ),
    )


def _splits(report: SequenceIngestReport) -> Table:
    rows = tuple(
        (split, count(number), count(report.split_rows.get(split, 0)))
        for split, number in report.split_sequences.items()
    )
    return Table("Splits", ("split", "sequences", "rows"), rows)


def _labels(report: SequenceIngestReport) -> Table:
    splits = tuple(report.labels)
    totals = {split: sum(found.values()) for split, found in report.labels.items()}
    train = report.labels.get("train", {})
    names = sorted(train, key=lambda name: -train[name])[:MOST]
    rows = tuple(
        (name or NOTHING, *(share(report.labels[s].get(name, 0), totals[s]) for s in splits))
        for name in names
    )
    more = len(train) - len(names)
    rest = f" ({count(more)} rarer ones are not listed)" if more > 0 else ""
    return Table(f"Labels, as a share of their split{rest}", ("label", *splits), rows)
