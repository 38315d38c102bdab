"""Ingestion: files or a database in, Parquet Examples by split and a report out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.ingest import clean, database, files, rejects
from components.ingest.boundaries import split_steps
from components.ingest.columns import Wanted
from components.ingest.config import DataConfig, SplitConfig
from components.ingest.csv_part import CsvPart
from components.ingest.grid import Grid, first_times, guess
from components.ingest.jsonl_part import JsonlPart
from components.ingest.parquet_part import ParquetPart
from components.ingest.part import Part
from components.ingest.rejects import Tally
from components.ingest.report import FILE, MAX_LISTED, IngestReport, SeriesHoles, SourceReport
from components.ingest.stage import Stage, connect, explained
from components.ingest.statics import Statics
from components.ingest.write import Written, write_examples
from models.errors import BadInputError
from models.frequency import Frequency
from models.roles import Roles
from models.windows.store import SPLITS


@dataclass
class Reading:
    """What was read into a stage: the sources, the rows in them, and those known to be bad."""

    sources: tuple[SourceReport, ...]
    rows: int
    bad: Tally = field(default_factory=Tally)


def ingest(
    data: DataConfig, split: SplitConfig, roles: Roles, base: Path, out: Path
) -> IngestReport:
    """Reads the data, checks every row, and writes Examples split by time.

    Args:
        data: The source and how to read it.
        split: The shares of train, validation and test.
        roles: The columns to keep.
        base: The folder that relative paths start from (the configuration's).
        out: Gets `Split-train|validation|test/part-*.parquet`, `rejects.csv` and, last,
            `report.json`. Made if missing; after a failure it holds nothing of this.

    Returns:
        What was read, kept and dropped.

    Raises:
        BadInputError: If the data cannot be used as it is.
    """

    def read(stage: Stage, work: Path) -> Reading:
        sources = _read(stage, base, work)
        return Reading(sources, sum(stage.rows))

    return ingest_staged(data, split, roles, out, read)


def ingest_staged(
    data: DataConfig,
    split: SplitConfig,
    roles: Roles,
    out: Path,
    read: Callable[[Stage, Path], Reading],
    kind: type[Stage] = Stage,
) -> IngestReport:
    """What `ingest` does, with rows from wherever `read` takes them.

    Args:
        data: How the rows are read.
        split: The shares of train, validation and test.
        roles: The columns to keep.
        out: As of `ingest`.
        read: Fills the stage; may use the folder it is given.
        kind: Of the stage.

    Raises:
        BadInputError: If the data cannot be used as it is.
    """
    wanted = Wanted.of(data, roles)
    frequency = Frequency.parse(data.frequency)
    out.mkdir(parents=True, exist_ok=True)
    for old in (FILE, rejects.FILE):
        (out / old).unlink(missing_ok=True)
    for name in SPLITS:
        shutil.rmtree(out / f"Split-{name}", ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".ingest-", dir=out.parent))
    try:
        with connect(work) as connection:
            stage = kind(connection, data, wanted, frequency)
            stage.create()
            report = _write(stage, split, read(stage, work), work)
        for name in (*(f"Split-{s}" for s in SPLITS), rejects.FILE):
            shutil.move(work / name, out / name)
        report.save(out)
        return report
    finally:
        shutil.rmtree(work, ignore_errors=True)


def content_fingerprint(data: DataConfig, roles: Roles, base: Path) -> str:
    """Digest of the content that `data` names now: files byte for byte, or the rows of a query.

    Raises:
        BadInputError: If the source cannot be read.
    """
    wanted = Wanted.of(data, roles)
    if data.path is not None:
        return files.fingerprint(files.find(data, base))
    return database.fingerprint(data, wanted, base)


def read_files(stage: Stage, found: Sequence[files.SourceFile]) -> tuple[SourceReport, ...]:
    """Reads files into the stage.

    Raises:
        BadInputError: If one cannot be read, has no rows, or lacks a wanted column.
    """
    data, wanted = stage.data, stage.wanted
    for index, file in enumerate(found):
        part: Part
        if file.format == "csv":
            part = CsvPart.read_header(file, data.delimiter, wanted, index)
        elif file.format == "jsonl":
            part = JsonlPart.read_names(file, wanted, index)
        else:
            part = ParquetPart.read_schema(stage.connection, file.path, file.name, wanted)
        stage.add(part)
    return tuple(
        SourceReport(name=f.name, rows=rows, bytes=f.bytes, sha256=f.sha256)
        for f, rows in zip(found, stage.rows, strict=True)
    )


def read_table(
    stage: Stage, base: Path, work: Path, since: int | None = None
) -> tuple[SourceReport, ...]:
    """Reads a database table or query into the stage, through Parquet files in `work`.

    Args:
        stage: Gets the rows.
        base: The folder that relative paths start from.
        work: Gets the files; they have to stay as long as the stage.
        since: Unix second; rows before it may be left out. None: all rows.

    Raises:
        BadInputError: If it cannot be read.
    """
    extract = database.extract(stage.data, stage.wanted, base, work, since)
    for path, offset in extract.files:
        stage.add(
            ParquetPart.read_schema(stage.connection, path, extract.name, stage.wanted, offset)
        )
    return (
        SourceReport(
            name=extract.name, rows=extract.rows, bytes=extract.bytes, sha256=extract.sha256
        ),
    )


def _read(stage: Stage, base: Path, work: Path) -> tuple[SourceReport, ...]:
    if stage.data.path is None:
        return read_table(stage, base, work)
    return read_files(stage, files.find(stage.data, base))


def _write(stage: Stage, split: SplitConfig, reading: Reading, work: Path) -> IngestReport:
    bad = reading.bad
    clean.drop_bad(stage, bad)
    while True:
        grid = clean.grid(stage, bad)
        steps = split_steps(split, grid.steps)
        boundaries = _boundaries(grid, steps)
        clean.number_series(stage)
        ids = clean.series_names(stage)
        statics = Statics.of(stage)
        with explained("data"):
            written = write_examples(stage, grid, boundaries, ids, statics, work)
        if not written.conflicts:
            break
        clean.drop_conflicts(stage, bad, written.conflicts)
        for name in SPLITS:
            shutil.rmtree(work / f"Split-{name}", ignore_errors=True)
    _check(stage, written)
    rejects.write(bad.listed, work)
    return _report(stage, reading, grid, boundaries, ids, statics, written, work)


def _boundaries(grid: Grid, steps: tuple[int, int, int]) -> tuple[int, int, int, int]:
    train, validation, test = steps
    return (
        grid.first,
        grid.at(train),
        grid.at(train + validation),
        grid.at(train + validation + test),
    )


def _check(stage: Stage, written: Written) -> None:
    distances: Mapping[int, int] = dict(enumerate(written.distances.tolist()))
    total = sum(distances.values())
    common = max(distances, key=lambda d: distances[d])
    if common > 1 and 2 * distances[common] > total:
        looks = guess(first_times(stage))
        raise BadInputError(
            f"data.frequency {stage.data.frequency!r}: {distances[common]} of {total} rows are "
            f"{common} steps after the one before, not one"
            + (f"; they look like {looks}; set data.frequency: {looks}" if looks else "")
        )
    for name, count in written.rows.items():
        if count == 0:
            raise BadInputError(
                f"split: there are no rows in the {name} split; the data has a hole there, "
                "change split"
            )


def _report(
    stage: Stage,
    reading: Reading,
    grid: Grid,
    boundaries: tuple[int, int, int, int],
    ids: tuple[str, ...],
    statics: Statics,
    written: Written,
    work: Path,
) -> IngestReport:
    holes = written.holes
    worst = [i for i in holes[:, 1].argsort()[::-1][:MAX_LISTED].tolist() if holes[i, 1]]
    return IngestReport(
        sources=reading.sources,
        rows_read=reading.rows,
        rows_kept=sum(written.rows.values()),
        rows_unused=written.unused,
        exact_duplicates=written.exact_duplicates,
        dropped=reading.bad.by_reason(),
        series=len(ids),
        series_ids=ids[:MAX_LISTED],
        first=grid.first,
        last=grid.last,
        frequency=stage.frequency.alias,
        steps=grid.steps,
        boundaries=boundaries,
        split_rows=written.rows,
        missing=dict(zip(stage.wanted.numbers, written.missing.tolist(), strict=True)),
        static_types=statics.types,
        holes=int(holes[:, 0].sum()),
        missing_steps=int(holes[:, 1].sum()),
        longest_hole=int(holes[:, 2].max(initial=0)),
        worst_series=tuple(
            SeriesHoles(
                series=ids[i],
                holes=int(holes[i, 0]),
                missing_steps=int(holes[i, 1]),
                longest=int(holes[i, 2]),
            )
            for i in worst
        ),
        digest=written.digest,
        bytes=sum(p.stat().st_size for p in work.glob("Split-*/*.parquet")),
    )
