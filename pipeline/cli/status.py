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
    from pipeline.config import Config, load

    loaded = load(config)
    found = read_status(loaded.serving_directory, loaded.workspace, runs=runs)
    spans = None
    if isinstance(loaded.config, Config) and loaded.config.data.spans is not None:
        from pipeline.cli.span_preview import spans_status

        spans = spans_status(loaded)
    from pipeline.schedule.state import StateFile

    scheduled = StateFile(loaded.workspace).read()
    if json_output:
        told = found.as_json()
        if scheduled is not None:
            told["schedule"] = scheduled.model_dump(mode="json")
        if spans is not None:
            told["spans"] = spans.model_dump(mode="json")
        click.echo(json.dumps(told, indent=1))
        return
    from rich.console import Console

    console = Console(soft_wrap=True)
    console.print(render(found), soft_wrap=True)
    for line in spans.lines() if spans is not None else ():
        console.print(line, markup=False, highlight=False)
    if scheduled is not None:
        console.print(scheduled.words, markup=False, highlight=False)
