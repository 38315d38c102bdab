"""One span: its files, or a piece of a growing source, to rows, Examples and a report."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.ingest import clean, rejects
from components.ingest.columns import Wanted
from components.ingest.config import DataConfig
from components.ingest.files import source_file
from components.ingest.ingest import read_files
from components.ingest.rejects import Tally
from components.ingest.report import FILE, SourceReport, save_report
from components.ingest.stage import Stage, connect, explained
from components.ingest.statics import Statics
from components.ingest.write import Sink, example_schema, sorted_rows, without_duplicates
from components.spans import incoming, rows
from components.spans.report import SpanReport
from components.spans.span import Span
from models.errors import BadInputError
from models.frequency import Frequency
from models.roles import Roles

if TYPE_CHECKING:
    import numpy.typing as npt

SPLIT = "span"
"""The one split of a span's Examples."""


def ingest_span(data: DataConfig, roles: Roles, span: Span, base: Path, out: Path) -> SpanReport:
    """Reads one span, checks each of its rows, and writes what joining and checking need.

    With `data.on_bad_rows: fail`, rows off the grid and rows that contradict each other inside the
    span are refused here, so that the span is blocked and not the run. With `drop` they are left
    in: which of them have to go shows only among all spans.

    Args:
        data: How to read the source.
        roles: The columns to keep.
        span: Which span, and its files.
        base: The folder that relative paths start from.
        out: Gets `Split-span/part-*.parquet` (time, series and numbers; no static covariates,
            whose types show only among all spans), `rows.parquet`, `rejects.csv` and, last,
            `report.json`. Made if missing; after a failure it holds nothing of this.

    Raises:
        BadInputError: If the span cannot be used as it is.
    """
    wanted = Wanted.of(data, roles)
    out.mkdir(parents=True, exist_ok=True)
    names = (f"Split-{SPLIT}", rows.FILE, rejects.FILE)
    (out / FILE).unlink(missing_ok=True)
    for name in names:
        shutil.rmtree(out / name, ignore_errors=True)
        if (out / name).is_file():
            (out / name).unlink()
    work = Path(tempfile.mkdtemp(prefix=".span-", dir=out.parent))
    try:
        with connect(work) as connection:
            frequency = Frequency.parse(data.frequency)
            if span.incoming is None:
                stage = Stage(connection, data, wanted, frequency)
                stage.create()
                report = _from_files(stage, span, base, work)
            else:
                stage = rows.RowsStage(connection, data, wanted, frequency)
                stage.create()
                report = _from_incoming(stage, span, Path(span.incoming), work)
        for name in names:
            if (work / name).exists():
                shutil.move(work / name, out / name)
        save_report(report, out)
        return report
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _from_files(stage: Stage, span: Span, base: Path, work: Path) -> SpanReport:
    found = [source_file(Path(file.path), stage.data.format, base) for file in span.files]
    sources = read_files(stage, found)
    bad = Tally()
    clean.drop_bad(stage, bad)
    return _finish(stage, span, sources, sum(stage.rows), bad, {}, work)


def _from_incoming(stage: Stage, span: Span, folder: Path, work: Path) -> SpanReport:
    piece = incoming.load(folder)
    bad = Tally()
    bad.add(piece.rejects(), piece.dropped)
    if stage.data.on_bad_rows == "fail" and (bad.counts or piece.unplaced):
        bad.add((), piece.unplaced)
        bad.refuse(piece.source.rows)
    stage.add(rows.RowsPart(folder / rows.FILE, piece.source.name, {}))
    return _finish(stage, span, (piece.source,), piece.source.rows, bad, piece.unplaced, work)


def _finish(
    stage: Stage,
    span: Span,
    sources: Sequence[SourceReport],
    read: int,
    bad: Tally,
    unplaced: dict[str, int],
    work: Path,
) -> SpanReport:
    if stage.number() == 0:
        raise BadInputError(f"data: none of {read} rows can be used ({bad.summary()})")
    rows.save_rows(stage, work)
    kept, total, first, last = stage.one(
        f"SELECT count(*), {rows.row_digest(stage.wanted)}, min(t), max(t) FROM staged"
    )
    if stage.data.on_bad_rows == "fail":
        clean.grid(stage, bad)
    with explained("data"):
        missing = _write(stage, bad, work)
    rejects.write(bad.listed, work)
    return SpanReport(
        span=span.number,
        version=span.version,
        label=span.label,
        sources=tuple(sources),
        rows_read=read,
        rows=int(kept),
        dropped=bad.by_reason(),
        unplaced=unplaced,
        first=int(first),
        last=int(last),
        missing=dict(zip(stage.wanted.numbers, missing.tolist(), strict=True)),
        digest=rows.digest_text(total, kept),
    )


def _write(stage: Stage, bad: Tally, work: Path) -> npt.NDArray[np.int64]:
    """Writes the Examples of the span; counts missing values by column.

    Raises:
        BadInputError: If rows contradict each other and `data.on_bad_rows` is `fail`.
    """
    clean.number_series(stage)
    ids = clean.series_names(stage)
    none = Statics()
    sink = Sink(work, example_schema(stage, none), ids, none)
    missing = np.zeros(len(stage.wanted.numbers), np.int64)
    previous: tuple[npt.NDArray[Any], ...] | None = None
    conflicts = []
    try:
        for batch in sorted_rows(stage):
            keep, clash = without_duplicates(batch, previous)
            previous = tuple(column[-1:] for column in batch)
            if len(clash):
                conflicts.append(clash)
            missing += [int(np.isnan(column[keep]).sum()) for column in batch[2:]]
            if keep.any():
                sink.write(SPLIT, tuple(column[keep] for column in batch))
    finally:
        sink.close()
    if conflicts and stage.data.on_bad_rows == "fail":
        clean.drop_conflicts(stage, bad, conflicts)
    return missing
