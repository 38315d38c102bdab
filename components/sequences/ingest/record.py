"""What ingestion of sequences says about itself to whoever tracks the run."""

from __future__ import annotations

from pathlib import Path

from components.ingest.rejects import FILE
from components.sequences.ingest.report import SequenceIngestReport
from components.tracking.recorder import current


def record(report: SequenceIngestReport, folder: Path) -> None:
    """Records rows, sequences, labels, dropped rows and digest, and keeps the report."""
    recorder = current()
    recorder.params({"data_sources": [source.name for source in report.sources]})
    recorder.metrics(
        {
            "rows_read": report.rows_read,
            "rows_kept": report.rows_kept,
            "rows_dropped": report.rows_dropped,
            "sequences": report.sequences,
            "sequences_dropped": report.sequences_dropped,
            "sequences_unused": report.sequences_unused,
            "shortest_sequence": report.shortest,
            "longest_sequence": report.longest,
            **{f"sequences_{split}": n for split, n in report.split_sequences.items()},
            **{f"rows_{split}": n for split, n in report.split_rows.items()},
            **{f"repeated_{split}": n for split, n in report.repeated.items()},
        }
    )
    recorder.tags({"data_digest": report.digest})
    recorder.data(report.model_dump(mode="json"), "ingest_report.json")
    if report.rows_dropped:
        recorder.file(folder / FILE)
        reasons = ", ".join(f"{reason} {count}" for reason, count in report.dropped.items())
        recorder.warn(
            f"{report.rows_dropped} bad rows were dropped ({reasons}), and the "
            f"{report.sequences_dropped} sequences they were in; see {FILE}"
        )
    if report.sequences_unused:
        recorder.warn(
            f"{report.sequences_unused} sequences are in no split: split.train, validation and "
            "test do not list their value"
        )
    for split, count in report.repeated.items():
        if count:
            recorder.warn(
                f"{count} of {report.split_sequences[split]} {split} sequences have the same "
                "inputs as one in train"
            )
