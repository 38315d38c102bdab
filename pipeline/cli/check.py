"""`elman check`: what a run would do, without training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from models.section import Section


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "json_output", is_flag=True, help="Print the report as JSON.")
def check(config: Path, *, json_output: bool) -> None:
    """Validate a configuration and its data without training.

    Reads all the data as a run would, and leaves nothing behind.
    """
    from pipeline.config import SequenceConfig, load

    loaded = load(config)
    if isinstance(loaded.config, SequenceConfig):
        from pipeline.cli.sequence_preview import sequence_preview, sequence_table

        sequences = sequence_preview(loaded, loaded.config)
        _show(sequences, json_output, lambda: sequence_table(sequences, str(config)))
        return
    from pipeline.cli.preview import preview
    from pipeline.cli.preview_table import table

    found = preview(loaded)
    _show(found, json_output, lambda: table(found, str(config)))


def _show(found: Section, json_output: bool, table: Callable[[], Table]) -> None:
    if json_output:
        click.echo(json.dumps(found.model_dump(mode="json"), indent=1))
        return
    from rich.console import Console

    Console().print(table())
