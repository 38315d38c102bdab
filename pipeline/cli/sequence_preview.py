"""`SequencePreview`: what a run of a sequence task would find in the data, by its own code."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from models.section import Section
from pipeline.cli.preview import Bad, rejects
from pipeline.cli.quiet_tensorflow import quiet_tensorflow
from pipeline.config import LoadedConfig, SequenceConfig

MOST_LISTED = 10


class SequencePreview(Section):
    """What a run of a configuration would work on.

    Attributes:
        name: Of the pipeline.
        digest: Of the configuration.
        task: What is learned.
        files: Rows by file, in order.
        rows: Rows read, good or bad.
        kept: Rows that would be used.
        dropped: Bad rows that would be dropped, by reason.
        bad: The first of those, at most 20.
        sequences: Sequences by split.
        unused: Sequences whose value of the split column is in no split.
        repeated: By split but train, sequences whose inputs one in train has too.
        shortest: Fewest rows of a sequence; a text is one row.
        longest: Most rows of a sequence.
        steps: Steps of the longest sequence, by split; a text's symbols.
        classes: Classes that a model would know.
        train_labels: By class, its labels in the train split; empty for next_step.
        vocabulary: By symbol or text column, symbols that a model would know.
        unknown: By symbol or text column, share of the test split's symbols that are unknown.
        unseen: By split, labels that the train split does not have.
        batch_size: Sequences in a step of training.
        steps_per_epoch: Steps of training in an epoch.
        schema_file: The data schema's file.
        schema_exists: Whether it is there; the first run writes it.
        workspace: Where all state would be.
    """

    name: str
    digest: str
    task: str
    files: dict[str, int]
    rows: int
    kept: int
    dropped: dict[str, int]
    bad: tuple[Bad, ...]
    sequences: dict[str, int]
    unused: int
    repeated: dict[str, int]
    shortest: int
    longest: int
    steps: dict[str, int]
    classes: int
    train_labels: dict[str, int]
    vocabulary: dict[str, int]
    unknown: dict[str, float]
    unseen: dict[str, int]
    batch_size: int
    steps_per_epoch: int
    schema_file: str
    schema_exists: bool
    workspace: str


def sequence_preview(loaded: LoadedConfig, config: SequenceConfig) -> SequencePreview:
    """Ingests the data and builds the store in a temporary folder, as a run does.

    Raises:
        BadInputError: If the data cannot be used as it is.
    """
    if config.inputs.text is not None or config.inputs.lowercase:
        quiet_tensorflow()  # cuts texts, and says what lower case is
    from components.sequences.ingest.ingest import ingest_sequences
    from components.sequences.store.build import build_sequence_store

    with tempfile.TemporaryDirectory(prefix="elman-check-") as folder:
        examples, store = Path(folder) / "examples", Path(folder) / "sequences"
        report = ingest_sequences(config.data, config.split, config.spec, loaded.folder, examples)
        found = build_sequence_store(examples, config.spec, store)
        bad = rejects(examples / "rejects.csv")
    return SequencePreview(
        name=config.name,
        digest=loaded.digest,
        task=config.task,
        files={source.name: source.rows for source in report.sources},
        rows=report.rows_read,
        kept=report.rows_kept,
        dropped=report.dropped,
        bad=bad,
        sequences=found.sequences,
        unused=report.sequences_unused,
        repeated=report.repeated,
        shortest=report.shortest,
        longest=report.longest,
        steps=found.longest,
        classes=found.classes,
        train_labels=found.train_labels,
        vocabulary=found.vocabulary,
        unknown={column: shares["test"] for column, shares in found.unknown.items()},
        unseen={split: n for split, n in found.unseen.items() if n},
        batch_size=config.train.batch_size,
        steps_per_epoch=-(-found.sequences["train"] // config.train.batch_size),
        schema_file=str(loaded.schema_path),
        schema_exists=loaded.schema_path.exists(),
        workspace=str(loaded.workspace),
    )


def sequence_table(found: SequencePreview, config: str) -> Table:
    """What a run would do, with the next command.

    Args:
        found: What was found.
        config: The configuration file as the person typed it.
    """
    lines = Table(box=None, show_header=False, pad_edge=False)
    lines.add_column(style="bold", no_wrap=True)
    lines.add_column(overflow="fold")

    def add(label: str, text: str) -> None:
        lines.add_row(label, escape(text))

    add("config", f"{config} is valid (digest {found.digest[:12]})")
    for number, (name, n) in enumerate(found.files.items()):
        if number == MOST_LISTED:
            add("", f"and {len(found.files) - MOST_LISTED} more files")
            break
        add("data" if number == 0 else "", f"{name}: {n:,} rows")
    parts = [f"{found.kept:,} of {found.rows:,} used"]
    add("rows", ", ".join([*parts, *(f"{n:,} dropped: {why}" for why, n in found.dropped.items())]))
    for bad in found.bad:
        column = f", column {bad.column}" if bad.column else ""
        add("", f"would drop {bad.file}:{bad.line}{column}: {bad.reason}")
    add("sequences", ", ".join(f"{split} {n:,}" for split, n in found.sequences.items()))
    size = f"of {found.shortest:,} to {found.longest:,} rows, " if found.longest > 1 else ""
    add("", f"{size}at most {max(found.steps.values()):,} steps")
    if found.unused:
        add("", f"{found.unused:,} in no split (split.column)")
    for split, n in found.repeated.items():
        if n:
            add("", f"{n:,} of {split} have the very inputs of one in train")
    add("classes", _classes(found))
    for split, labels in found.unseen.items():
        add(
            "",
            f"{labels:,} labels of {split} are of no class of train: no model can be right there",
        )
    for column, known in found.vocabulary.items():
        share = found.unknown[column]
        add("symbols", f"{column}: {known:,} known, {share:.1%} of those of test are unknown")
    add("training", f"{found.steps_per_epoch:,} steps of {found.batch_size:,} sequences per epoch")
    missing = "" if found.schema_exists else " is not there yet: the first run writes it"
    add("schema", f"{found.schema_file}{missing}")
    add("workspace", found.workspace)
    lines.add_row("next", f"[bold]{escape(f'elman run {config}')}[/]")
    return lines


def _classes(found: SequencePreview) -> str:
    labels = sorted(found.train_labels.items(), key=lambda item: -item[1])
    if not labels:
        return f"{found.classes:,}: the known symbols and one for all others"
    shown = ", ".join(f"{name} {n:,}" for name, n in labels[:MOST_LISTED])
    more = f" and {len(labels) - MOST_LISTED} more" if len(labels) > MOST_LISTED else ""
    return f"{found.classes:,}: {shown}{more}"
