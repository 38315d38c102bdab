"""Ingestion of sequences: files in, Parquet Examples by split and a report out."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from components.ingest import files, rejects
from components.ingest.rejects import Tally
from components.ingest.report import FILE, SourceReport
from components.ingest.stage import connect, explained
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig, check_sequences
from components.sequences.ingest import reasons
from components.sequences.ingest.assign import Assigned, assign
from components.sequences.ingest.columns import SequenceColumns
from components.sequences.ingest.report import MAX_CLASSES, SequenceIngestReport
from components.sequences.ingest.sources import Source, find
from components.sequences.ingest.stage import SequenceStage
from components.sequences.ingest.write import write_examples
from models.sequences.spec import SequenceSpec
from models.windows.store import SPLITS


def ingest_sequences(
    data: SequenceDataConfig,
    split: SequenceSplitConfig,
    spec: SequenceSpec,
    base: Path,
    out: Path,
) -> SequenceIngestReport:
    """Reads the data, checks every row and sequence, and writes Examples by split.

    Args:
        data: The source and how to read it.
        split: Which sequences are train, validation and test.
        spec: The columns to keep.
        base: The folder that relative paths start from (the configuration's).
        out: Gets `Split-train|validation|test/part-*.parquet` (see `write_examples`),
            `rejects.csv` and, last, `report.json`. Made if missing; after a failure it holds
            nothing of this.

    Returns:
        What was read, kept and dropped.

    Raises:
        BadInputError: If the data cannot be used as it is.
    """
    check_sequences(data, split, spec)
    out.mkdir(parents=True, exist_ok=True)
    for old in (FILE, rejects.FILE):
        (out / old).unlink(missing_ok=True)
    for name in SPLITS:
        shutil.rmtree(out / f"Split-{name}", ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".ingest-", dir=out.parent))
    try:
        with connect(work) as connection:
            columns = SequenceColumns.of(data, split, spec)
            stage = SequenceStage(connection, data, split, columns)
            stage.create()
            sources = find(data, base)
            for source in sources:
                stage.add(source)
            report = _write(stage, spec, sources, work)
        for name in (*(f"Split-{s}" for s in SPLITS), rejects.FILE):
            shutil.move(work / name, out / name)
        report.save(out)
        return report
    finally:
        shutil.rmtree(work, ignore_errors=True)


def content_fingerprint(data: SequenceDataConfig, base: Path) -> str:
    """Digest of the files that `data` names now, byte for byte, and of their splits.

    Raises:
        BadInputError: If a file cannot be read.
    """
    sources = find(data, base)
    digest = hashlib.sha256()
    for name in (None, *SPLITS):
        listed = [source for source in sources if source.split == name]
        digest.update(f"{name} {files.fingerprint([s.file for s in listed])}\n".encode())
        # Where rows have no other order, files give it, and their names the ids.
        for source in listed:
            digest.update(f"{source.prefix} {source.file.sha256}\n".encode())
    return digest.hexdigest()


def _write(
    stage: SequenceStage, spec: SequenceSpec, sources: list[Source], work: Path
) -> SequenceIngestReport:
    bad = Tally(advice=reasons.ADVICE)
    dropped = 0
    with explained("data"):
        bad.add(*stage.bad_rows())
        bad.add(*stage.contradictions(spec.task))
        if bad.counts:
            if stage.data.on_bad_rows == "fail":
                bad.refuse(sum(stage.rows))
            dropped = stage.drop()
        assigned = assign(stage, spec)
        digest = write_examples(stage, spec, assigned, work)
        rejects.write(bad.listed, work)
        return _report(stage, spec, sources, assigned, bad, dropped, digest, work)


def _report(
    stage: SequenceStage,
    spec: SequenceSpec,
    sources: list[Source],
    assigned: Assigned,
    bad: Tally,
    dropped: int,
    digest: str,
    work: Path,
) -> SequenceIngestReport:
    rows = {split: int(lengths.sum()) for split, lengths in assigned.rows.items()}
    return SequenceIngestReport(
        sources=tuple(
            SourceReport(name=s.file.name, rows=n, bytes=s.file.bytes, sha256=s.file.sha256)
            for s, n in zip(sources, stage.rows, strict=True)
        ),
        rows_read=sum(stage.rows),
        rows_kept=sum(rows.values()),
        dropped=bad.by_reason(),
        sequences=sum(map(len, assigned.ids.values())),
        sequences_dropped=dropped,
        sequences_unused=assigned.unused,
        split_sequences={split: len(ids) for split, ids in assigned.ids.items()},
        split_rows=rows,
        shortest=min(int(lengths.min()) for lengths in assigned.rows.values()),
        longest=max(int(lengths.max()) for lengths in assigned.rows.values()),
        labels=_labels(stage, spec),
        repeated=_repeated(stage),
        digest=digest,
        bytes=sum(p.stat().st_size for p in work.glob("Split-*/*.parquet")),
    )


def _labels(stage: SequenceStage, spec: SequenceSpec) -> dict[str, dict[str, int]]:
    if spec.target is None:
        return {}
    what = "count(DISTINCT sequence)" if spec.task == "classify" else "count(*)"
    found: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        rows = stage.fetch(
            f"SELECT y, {what} AS n FROM staged JOIN chosen USING (sequence) "
            f"WHERE chosen.split = '{split}' GROUP BY y ORDER BY n DESC, y LIMIT {MAX_CLASSES}"
        )
        found[split] = dict(rows)
    return found


def _repeated(stage: SequenceStage) -> dict[str, int]:
    inputs = ", ".join(name for name in stage.columns.kept if name != "y")
    rows = stage.fetch(
        "WITH whole AS (SELECT sequence, md5(string_agg(md5(concat_ws(chr(31), "
        f"{inputs})), '' ORDER BY step, part, record)) AS content FROM staged GROUP BY sequence), "
        "placed AS (SELECT chosen.split, content FROM whole JOIN chosen USING (sequence)) "
        "SELECT split, count(*) FROM placed WHERE split <> 'train' AND content IN "
        "(SELECT content FROM placed WHERE split = 'train') GROUP BY split"
    )
    return dict.fromkeys(SPLITS[1:], 0) | dict(rows)
