"""`elman rollback`: back to the version before the live one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from components.push.registry import ChampionRegistry


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
def rollback(config: Path) -> None:
    """Take the live model away, so that the version before it serves again.

    The model taken away is not pushed again by a later run, unless that is forced.
    """
    from components.push.rollback import roll_back
    from pipeline.config import load

    loaded = load(config)

    def registry() -> ChampionRegistry:
        from components.push.registry import ChampionRegistry
        from components.tracking.store import open_store

        store = open_store(loaded.tracking_uri, loaded.workspace)
        return ChampionRegistry(store, loaded.config.name, store.experiment(loaded.experiment))

    done = roll_back(loaded.serving_directory, registry)
    click.echo(f"Version {done.removed} is taken away; version {done.live} serves now.")
    if done.problem:
        click.echo(
            f"The registry's alias could not be moved: {done.problem}\nThe next run moves it.",
            err=True,
        )
