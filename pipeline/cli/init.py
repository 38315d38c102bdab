"""`elman init`: a first configuration from a data file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from models.errors import BadInputError


@click.command()
@click.argument("data")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Where to write; by default the name of the data with .yaml, here.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def init(data: str, *, output: Path | None, force: bool) -> None:
    """Write a commented configuration for DATA (CSV, CSV.gz, Parquet, JSON lines, or a glob).

    Infers the time column, the series ids, the step and the columns to forecast.
    """
    target = output or Path(f"{name_of(data)}.yaml")
    if target.exists() and not force:
        raise BadInputError(
            f"{target} is there already; --force replaces it, --output writes elsewhere"
        )
    if not target.parent.is_dir():
        raise BadInputError(f"{target}: the folder {target.parent} does not exist; make it first")
    text = proposal(data, target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    click.echo(f"Wrote {target}. Look it over, then: elman check {target}")


def proposal(data: str, target: Path) -> str:
    """The configuration for `data` as it would stand in the file `target`.

    Raises:
        BadInputError: If the data cannot be read or does not look like series over time.
    """
    from components.ingest.infer import infer
    from components.ingest.inspect import opened
    from pipeline.cli.suggest import suggest
    from pipeline.cli.template import template
    from pipeline.config import loads

    whole = Path.cwd() / Path(data).expanduser()
    path = os.path.relpath(whole, (Path.cwd() / target).parent)
    with opened(data, Path.cwd()) as table:
        guess = infer(table)
    text = template(name_of(data), path, guess, suggest(guess))
    loads(text, path=target)  # what init writes is valid, or init is wrong
    return text


def name_of(data: str) -> str:
    """A name for the pipeline, from the file's name, or from its folder's for a bare glob."""
    for part in (Path(data).name.split(".")[0], Path(data).parent.name, "forecast"):
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-_")[:63]
        if name:
            return name
    raise AssertionError
