"""`elman run`: the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "json_output", is_flag=True, help="Print the result as JSON.")
@click.option("--if-new", is_flag=True, help="End at once if nothing changed since the last run.")
@click.option("--no-cache", is_flag=True, help="Run every component, also where nothing changed.")
@click.option("--force", is_flag=True, help="Push even a model that was rolled back before.")
@click.option("--require-blessed", is_flag=True, help="Exit with 1 if the gate blesses no model.")
def run(
    config: Path,
    *,
    json_output: bool,
    if_new: bool,
    no_cache: bool,
    force: bool,
    require_blessed: bool,
) -> int:
    """Run the whole pipeline: data, training, gate, push."""
    from pipeline.config import load

    loaded = load(config)  # bad input is told before anything slow is imported
    from pipeline.runner.lock import WorkspaceBusyError
    from pipeline.runner.result import RunResult, render
    from pipeline.runner.run import run_pipeline

    try:
        result = run_pipeline(loaded, use_cache=not no_cache, force=force, if_new=if_new)
    except WorkspaceBusyError as error:
        if json_output:  # a program, such as our scheduler, may want to come back later
            click.echo(json.dumps({"status": "busy", "reason": str(error)}))
        raise
    if json_output:
        click.echo(json.dumps(result.model_dump(mode="json"), indent=1))
    elif isinstance(result, RunResult):
        from rich.console import Console

        render(result, config=str(config), console=Console())
    return 1 if require_blessed and not result.blessed else 0
