"""`elman status`: versions, what is live, and the last runs."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1), help="How many runs.")
@click.option("--json", "json_output", is_flag=True, help="Print the status as JSON.")
def status(config: Path, *, runs: int, json_output: bool) -> None:
    """Show the live model, the versions kept, and the last runs."""
    from components.push.status import read_status, render
    from pipeline.config import load

    loaded = load(config)
    found = read_status(loaded.serving_directory, loaded.workspace, runs=runs)
    if json_output:
        click.echo(json.dumps(found.as_json(), indent=1))
        return
    from rich.console import Console

    Console(soft_wrap=True).print(render(found), soft_wrap=True)
