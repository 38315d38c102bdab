"""A `Preview` as a table for a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from pipeline.cli.preview import Preview

MOST_FILES = 10


def table(found: Preview, config: str) -> Table:
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
    for number, (name, rows) in enumerate(found.files.items()):
        if number == MOST_FILES:
            add("", f"and {len(found.files) - MOST_FILES} more files")
            break
        add("data" if number == 0 else "", f"{name}: {rows:,} rows")
    if found.spans is not None:
        add("spans", found.spans.words)
        for span in found.spans.blocked:
            add("", f"blocked: {span.label}: {span.reason}")
    add("rows", _rows(found))
    for bad in found.bad:
        column = f", column {bad.column}" if bad.column else ""
        add("", f"would drop {bad.file}:{bad.line}{column}: {bad.reason}")
    hidden = sum(found.dropped.values()) - len(found.bad)
    if hidden > 0:
        add("", f"and {hidden:,} more")
    add("series", f"{found.series:,}")
    add(
        "time",
        f"{_short(found.start)} to {_short(found.end)} UTC, every {found.frequency}: "
        f"{found.steps:,} steps",
    )
    add("holes", _holes(found))
    if found.missing:
        add("missing", ", ".join(f"{name} {n:,}" for name, n in found.missing.items()))
    for split, windows in found.windows.items():
        rows = found.split_rows.get(split, 0)
        add(
            "windows" if split == "train" else "",
            f"{split} {windows:,} (from {_short(found.splits[split])}, {rows:,} rows)",
        )
    size = f"{found.batch_size:,} windows"
    if found.chunk is not None:
        size = f"{found.batch_size:,} x {found.chunk:,} (series side by side x their time steps)"
    add("training", f"{found.steps_per_epoch:,} steps of {size} per epoch")
    add(
        "schema",
        f"{found.schema_file}"
        + ("" if found.schema_exists else " is not there yet: the first run writes it"),
    )
    add("workspace", found.workspace)
    lines.add_row("next", f"[bold]{escape(f'elman run {config}')}[/]")
    return lines


def _rows(found: Preview) -> str:
    parts = [f"{found.kept:,} of {found.rows:,} used"]
    if found.duplicates:
        parts.append(f"{found.duplicates:,} exact duplicates left out")
    if found.unused:
        parts.append(f"{found.unused:,} after the test split not used")
    parts += [f"{n:,} dropped: {reason}" for reason, n in found.dropped.items()]
    return ", ".join(parts)


def _holes(found: Preview) -> str:
    if not found.holes:
        return "none: no step is missing"
    return (
        f"{found.holes:,}, the longest {found.longest_hole:,} steps: {found.holes_filled:,} filled "
        f"({found.filled_values:,} values), {found.holes_splitting:,} too long and splitting a "
        "series (gaps.max)"
    )


def _short(time: str) -> str:
    return time.removesuffix("Z").replace("T", " ").removesuffix(" 00:00:00")
