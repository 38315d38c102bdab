"""`elman history`: who was champion when."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--json", "json_output", is_flag=True, help="Print all of it as JSON.")
def history(config: Path, *, last: int, json_output: bool) -> None:
    """Show who was champion when, with scores, and the candidates that were refused."""
    from components.push.history import read_history
    from components.push.history_table import lines
    from pipeline.config import load

    loaded = load(config)
    found = read_history(loaded.serving_directory, loaded.workspace)
    if json_output:
        click.echo(json.dumps(found.as_json(), indent=1))
        return
    for line in lines(found, last=last):
        click.echo(line)
