"""Many spans to one Examples artifact, by the code of ordinary ingestion."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from components.ingest import rejects
from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import Reading, ingest_staged
from components.ingest.rejects import Reject, Tally
from components.ingest.report import IngestReport
from components.ingest.stage import Stage
from components.spans import rows
from components.spans.report import SpanReport
from models.errors import BadInputError
from models.roles import Roles

FILE = "spans.json"
"""Beside `report.json` in joined Examples: number, version, label, rows, first and last time of
each span, by number."""


def join_spans(
    data: DataConfig, split: SplitConfig, roles: Roles, folders: Sequence[Path], out: Path
) -> IngestReport:
    """Joins ingested spans: grid, duplicates, conflicts, static covariates, split by time.

    The result is that of one ordinary ingestion of the same rows from one file.

    Args:
        data: How the rows were read.
        split: The shares of train, validation and test.
        roles: The columns to keep.
        folders: Of `ingest_span`, each span once, in any order.
        out: As of `components.ingest.ingest.ingest`; also gets `spans.json`.

    Raises:
        BadInputError: If there are none, or they cannot be used together.
    """
    if not folders:
        raise BadInputError("data.spans: there is no span that can be used")
    spans = sorted(
        ((SpanReport.load(folder), folder) for folder in folders), key=lambda one: one[0].span
    )
    reports = [report for report, _ in spans]

    def read(stage: Stage, work: Path) -> Reading:  # noqa: ARG001
        for report, folder in spans:
            name = f"span {report.label} ({', '.join(s.name for s in report.sources)})"
            stage.add(rows.RowsPart(folder / rows.FILE, name, {}))
        bad, unplaced = Tally(), reports[-1].unplaced
        for report in reports:
            bad.add((), report.dropped)
        bad.add(sorted({r for _, folder in spans for r in _rejects(folder)}), unplaced)
        read = sum(r.rows_read for r in reports) + sum(unplaced.values())
        return Reading(tuple(s for r in reports for s in r.sources), read, bad)

    report = ingest_staged(data, split, roles, out, read, rows.RowsStage)
    _save(reports, out)
    return report


def _save(reports: Iterable[SpanReport], out: Path) -> None:
    listed = [
        {"span": r.span, "version": r.version, "label": r.label, "rows": r.rows,
         "first": r.first, "last": r.last}
        for r in reports
    ]  # fmt: skip
    (out / FILE).write_text(json.dumps(listed, indent=1) + "\n")


def _rejects(folder: Path) -> list[Reject]:
    with (folder / rejects.FILE).open(newline="", encoding="utf-8") as stream:
        return [
            Reject(row["file"], int(row["line"]), row["reason"], row["column"], raw=row["raw"])
            for row in csv.DictReader(stream)
        ]
