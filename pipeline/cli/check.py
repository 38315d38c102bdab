"""`elman check`: what a run would do, without training."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "json_output", is_flag=True, help="Print the report as JSON.")
def check(config: Path, *, json_output: bool) -> None:
    """Validate a configuration and its data without training.

    Reads all the data as a run would, and leaves nothing behind.
    """
    from pipeline.config import load

    loaded = load(config)
    from pipeline.cli.preview import preview

    found = preview(loaded)
    if json_output:
        click.echo(json.dumps(found.model_dump(mode="json"), indent=1))
        return
    from rich.console import Console

    from pipeline.cli.preview_table import table

    console = Console()
    console.print(table(found, str(config)))
