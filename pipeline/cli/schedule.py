"""`elman schedule`: runs at set times, in the foreground or by another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.config import LoadedConfig
    from pipeline.schedule.config import ScheduleConfig

KINDS = ("systemd", "cron", "airflow", "kubeflow")


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--cron", help="When: five fields as in crontab, such as '0 3 * * *'.")
@click.option("--timezone", help="Of the cron expression; UTC unless the config says otherwise.")
@click.option(
    "--catch-up",
    type=click.Choice(("none", "last", "all")),
    help="Which missed times are run when the scheduler comes back.",
)
@click.option("--catch-up-limit", type=int, help="With --catch-up all: at most so many.")
@click.option("--jitter", type=float, help="Start at random up to so many seconds later.")
@click.option("--grace", type=float, help="Seconds a run may go on once asked to stop.")
@click.option("--once", is_flag=True, help="End after one planned time, with that run's exit code.")
@click.option("--next", "count", type=click.IntRange(1), help="Print the next times, run nothing.")
@click.option("--emit", type=click.Choice(KINDS), help="Write files for another program instead.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder for these files; else they print."
)
@click.option("--image", help="With --emit kubeflow: the container image with Elman.")
@click.option("--volume", help="With --emit kubeflow: the claim with the config's folder.")
def schedule(
    config: Path,
    *,
    once: bool,
    count: int | None,
    emit: str | None,
    output: Path | None,
    image: str | None,
    volume: str | None,
    **given: Any,
) -> int:
    """Run the pipeline at set times, and survive what nights bring.

    Each run is a process of its own, `elman run CONFIG --if-new`. SIGTERM or Ctrl-C ends the
    scheduler; a running night gets its grace time, then is interrupted.
    """
    from pipeline.config import load

    loaded = load(config)
    planned = _plan(loaded, {key: value for key, value in given.items() if value is not None})
    if emit is not None:
        _emit(loaded, planned, emit, output, image=image, volume=volume)
        return 0
    if output is not None or image is not None or volume is not None:
        raise click.UsageError("--output, --image and --volume need --emit")
    if count is not None:
        from datetime import UTC, datetime
        from itertools import islice
        from zoneinfo import ZoneInfo

        from pipeline.schedule.cron import Cron

        zone = ZoneInfo(planned.timezone)
        for moment in islice(Cron.parse(planned.cron).after(datetime.now(UTC), zone), count):
            click.echo(f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %Z}")
        return 0
    from pipeline.schedule.foreground import run_in_foreground

    return run_in_foreground(loaded, planned, once=once)


def _plan(loaded: LoadedConfig, given: dict[str, Any]) -> ScheduleConfig:
    """The section `schedule`, with the command's options above it."""
    from pydantic import ValidationError

    from models.errors import BadInputError
    from pipeline.schedule.config import ScheduleConfig

    section = loaded.config.schedule
    if section is None and "cron" not in given:
        raise BadInputError(
            f"{loaded.path}: no section schedule and no --cron; say when to run: "
            f"elman schedule {loaded.path.name} --cron '0 3 * * *' is every day at three"
        )
    try:
        return ScheduleConfig.model_validate(
            {**(section.model_dump() if section is not None else {}), **given}
        )
    except ValidationError as error:
        problems = []
        for details in error.errors():
            option = "--" + "-".join(str(part) for part in details["loc"]).replace("_", "-")
            cause = details.get("ctx", {}).get("error", details["msg"])
            problems.append(f"{option}: {cause}")
        raise BadInputError("\n".join(problems)) from None


def _emit(
    loaded: LoadedConfig, planned: ScheduleConfig, kind: str, output: Path | None, **cluster: Any
) -> None:
    from pipeline.schedule.emit.files import emitted

    files, notes = emitted(loaded, planned, kind, **cluster)
    for name, text in files.items():
        if output is None:
            click.echo(f"# {name}" if len(files) > 1 else "", nl=len(files) > 1)
            click.echo(text, nl=False)
            continue
        output.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text)
        click.echo(f"wrote {output / name}")
    for note in notes:
        click.echo(f"note: {note}", err=True)
