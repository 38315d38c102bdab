"""`elman gc`: removes what nothing needs any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.housekeeping.plan import RUN_ID

if TYPE_CHECKING:
    from components.housekeeping.plan import Plan
    from components.housekeeping.sweep import Swept


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--delete", is_flag=True, help="Remove it; without this nothing is changed.")
@click.option(
    "--keep-runs",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="How many of the newest runs keep what they made.",
)
@click.option("--json", "json_output", is_flag=True, help="Print what is removed as JSON.")
def gc(config: Path, *, delete: bool, keep_runs: int, json_output: bool) -> int:
    """Remove artifacts that no live model, recent run or cache needs.

    What stays: the newest runs, those that pushed a version which is still in the model directory,
    the spans of the range, and all that these were made from. MLflow is left alone.
    """
    from pipeline.config import load
    from pipeline.runner.housekeeping import housekeeping

    loaded = load(config)
    with housekeeping(loaded, keep=keep_runs) as work:
        plan = work.plan
        data = plan.as_json()  # before anything is gone: sizes are read from the disk
        lines = list(_lines(plan))
        swept = work.carry_out() if delete else None
    if json_output:
        removed = swept is not None
        problems = list(swept.problems) if swept is not None else []
        click.echo(json.dumps({"deleted": removed, **data, "problems": problems}, indent=1))
    else:
        for line in lines:
            click.echo(line)
        click.echo(_end(plan, swept, config))
        for problem in swept.problems if swept else ():
            click.echo(problem, err=True)
    return 1 if swept is not None and swept.problems else 0


def _lines(plan: Plan) -> Iterator[str]:
    groups: dict[tuple[str, str], list[int]] = {}
    for item in plan.items:
        groups.setdefault((item.kind, item.node), []).append(item.size)
    for (kind, node), sizes in sorted(groups.items()):
        what = f"{kind} {node}".strip()
        yield f"{what:<28}{len(sizes):>6}{shown(sum(sizes)):>12}"
    yield f"{'stays':<28}{len(plan.kept):>6}{shown(plan.kept_size):>12}"
    yield from plan.notes


def _end(plan: Plan, swept: Swept | None, config: Path) -> str:
    kept = sum(RUN_ID.fullmatch(run) is not None for run in plan.runs)  # not those of single spans
    runs = f"{kept} run{'s' * (kept != 1)} kept"
    if not plan.items:
        return f"Nothing to remove; {runs}."
    if swept is not None:
        return f"{len(swept.removed)} removed, {shown(plan.freed)} freed; {runs}."
    return (
        f"{len(plan.items)} to remove, which frees {shown(plan.freed)}; {runs}. Nothing was "
        f"changed: elman gc {config} --delete removes them."
    )


def shown(size: float) -> str:
    """`size` in bytes, for people: 1.5 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
