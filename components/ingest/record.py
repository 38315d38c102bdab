"""What ingestion says about itself to whoever tracks the run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from components.ingest.rejects import FILE
from components.ingest.report import IngestReport
from components.tracking.recorder import current


def record(report: IngestReport, folder: Path) -> None:
    """Records rows, duplicates, dropped rows, holes, range and digest, and keeps the report."""
    recorder = current()
    recorder.params(
        {
            "data_sources": [source.name for source in report.sources],
            "data_frequency": report.frequency,
            "data_first": _stamp(report.first),
            "data_last": _stamp(report.last),
            "data_series": report.series,
            "split_boundaries": [_stamp(time) for time in report.boundaries],
        }
    )
    recorder.metrics(
        {
            "rows_read": report.rows_read,
            "rows_kept": report.rows_kept,
            "rows_unused": report.rows_unused,
            "rows_dropped": report.rows_dropped,
            "exact_duplicates": report.exact_duplicates,
            "series": report.series,
            "steps": report.steps,
            "holes": report.holes,
            "missing_steps": report.missing_steps,
            "longest_hole": report.longest_hole,
            "missing_values": sum(report.missing.values()),
            **{f"rows_{split}": rows for split, rows in report.split_rows.items()},
        }
    )
    recorder.tags({"data_digest": report.digest})
    recorder.data(report.model_dump(mode="json"), "ingest_report.json")
    if report.rows_dropped:
        recorder.file(folder / FILE)
        reasons = ", ".join(f"{reason} {count}" for reason, count in report.dropped.items())
        recorder.warn(f"{report.rows_dropped} bad rows were dropped ({reasons}); see {FILE}")
    if report.exact_duplicates:
        recorder.warn(f"{report.exact_duplicates} rows say what another row says; dropped")


def _stamp(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
