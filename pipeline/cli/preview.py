"""`Preview`: what a run would find in the data, by the run's own code."""

from __future__ import annotations

import csv
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from components.spans.summary import SpansSummary
from models.section import Section
from models.training.config import TrainConfig, TruncatedBptt
from pipeline.config import LoadedConfig

SHOWN = 20


class Bad(Section):
    """A row that a run would drop; `line` counts lines (or rows, in a table) from 1."""

    file: str
    line: int
    column: str
    reason: str


class Preview(Section):
    """What a run of a configuration would work on; times are ISO 8601 UTC.

    Attributes:
        name: Of the pipeline.
        digest: Of the configuration.
        files: Rows by file or table, in order.
        rows: Rows read, good or bad.
        kept: Rows that would be used, in the three splits.
        unused: Good rows after the test split (only with `split.train`).
        duplicates: Exact duplicates that would be left out.
        dropped: Bad rows that would be dropped, by reason.
        bad: The first of those, at most 20.
        series: Number of series.
        start: First time.
        end: Last time.
        frequency: Canonical pandas offset alias.
        steps: Steps of the grid from start to end.
        splits: First time of each split.
        split_rows: Rows by split.
        missing: Missing values by column, columns without any left out.
        holes: Stretches of missing steps.
        holes_filled: Of those, how many would be filled.
        holes_splitting: How many are too long, and would split a series in two.
        longest_hole: Steps of the longest.
        filled_values: Values that would be filled.
        windows: Windows by split.
        batch_size: Windows in a step of training; with truncated BPTT, streams side by side.
        chunk: With truncated BPTT, steps of each stream in a step of training.
        steps_per_epoch: Steps of training in an epoch.
        schema_file: The data schema's file.
        schema_exists: Whether it is there; the first run writes it.
        workspace: Where all state would be.
        spans: Which spans a run would train on, ingest, or leave out; null without `data.spans`.
    """

    name: str
    digest: str
    files: dict[str, int]
    rows: int
    kept: int
    unused: int
    duplicates: int
    dropped: dict[str, int]
    bad: tuple[Bad, ...]
    series: int
    start: str
    end: str
    frequency: str
    steps: int
    splits: dict[str, str]
    split_rows: dict[str, int]
    missing: dict[str, int]
    holes: int
    holes_filled: int
    holes_splitting: int
    longest_hole: int
    filled_values: int
    windows: dict[str, int]
    batch_size: int
    chunk: int | None
    steps_per_epoch: int
    schema_file: str
    schema_exists: bool
    workspace: str
    spans: SpansSummary | None = None


def preview(loaded: LoadedConfig) -> Preview:
    """Ingests the data and cuts its windows in a temporary folder, as a run does in its workspace.

    Raises:
        BadInputError: If the data cannot be used as it is, or a split gets no window.
    """
    from components.ingest.ingest import ingest
    from components.tune.judging import require_room
    from components.windows.build import build_store
    from models.windows.store import SeriesStore

    config = loaded.forecast
    with tempfile.TemporaryDirectory(prefix="elman-check-") as folder:
        examples, store = Path(folder) / "examples", Path(folder) / "windows"
        spans = None
        if config.data.spans is not None:
            from pipeline.cli.span_preview import check_spans

            report, spans = check_spans(loaded, Path(folder))
        else:
            report = ingest(config.data, config.split, config.roles, loaded.folder, examples)
        cut = build_store(
            examples,
            report.boundaries,
            config.window,
            config.roles,
            config.data.gaps,
            report.frequency,
            store,
        )
        if config.tune is not None:
            require_room(SeriesStore.load(store), config.window, config.tune)
        bad = rejects(examples / "rejects.csv")
        training = _training(config.train, store, cut.windows["train"])
    return Preview(
        name=config.name,
        digest=loaded.digest,
        files={source.name: source.rows for source in report.sources},
        rows=report.rows_read,
        kept=report.rows_kept,
        unused=report.rows_unused,
        duplicates=report.exact_duplicates,
        dropped=report.dropped,
        bad=bad,
        series=report.series,
        start=_iso(report.first),
        end=_iso(report.last),
        frequency=report.frequency,
        steps=report.steps,
        splits=dict(zip(cut.windows, map(_iso, report.boundaries), strict=False)),
        split_rows=report.split_rows,
        missing={column: n for column, n in report.missing.items() if n},
        holes=cut.holes_filled + cut.holes_splitting,
        holes_filled=cut.holes_filled,
        holes_splitting=cut.holes_splitting,
        longest_hole=cut.longest_hole,
        filled_values=cut.filled_cells,
        windows=cut.windows,
        batch_size=training.batch_size,
        chunk=training.chunk,
        steps_per_epoch=training.steps,
        schema_file=str(loaded.schema_path),
        schema_exists=loaded.schema_path.exists(),
        workspace=str(loaded.workspace),
        spans=spans,
    )


class _Training(NamedTuple):
    batch_size: int
    chunk: int | None
    steps: int


def _training(train: TrainConfig, folder: Path, windows: int) -> _Training:
    if not isinstance(train.bptt, TruncatedBptt):
        return _Training(train.batch_size, None, -(-windows // train.batch_size))
    from models.windows.store import SeriesStore
    from models.windows.streams import Chunks, Streams, steps_with_labels

    store, chunk = SeriesStore.load(folder), train.bptt.truncated
    streams = Streams.to(store, steps_with_labels(store, "train"))
    chunks = Chunks.of(streams, train.batch_size, chunk)
    return _Training(chunks.lanes, chunk, len(chunks))


def rejects(path: Path) -> tuple[Bad, ...]:
    """The first rows of a `rejects.csv`."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = [row for row, _ in zip(csv.DictReader(stream), range(SHOWN), strict=False)]
    return tuple(
        Bad(file=r["file"], line=int(r["line"]), column=r["column"], reason=r["reason"])
        for r in rows
    )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
