"""An Airflow DAG of a plain Bash operator that calls `elman`; loads in Airflow 2 and 3."""

from __future__ import annotations

import shlex

from pipeline.schedule.emit.plan import Plan

TEMPLATE = '''"""Elman: runs of {name}. Made by elman schedule --emit airflow for Airflow 2 and 3.

The workers need the same installation of Elman, configuration, data and workspace as this machine:
the command below names them by absolute paths.
"""

from __future__ import annotations

import pendulum

try:  # Airflow 3
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG

try:  # Airflow 3, and 2 with the package of standard operators
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id={dag_id!r},
    description={description!r},
    schedule={cron!r},
    start_date=pendulum.datetime({start}, tz={timezone!r}),
    catchup={catchup},
    max_active_runs=1,
    default_args={{"retries": 0}},
    tags=["elman"],
) as dag:
    BashOperator(
        task_id="run",
        bash_command={run!r},
        cwd={folder!r},
    )
'''

SPACE = " "
"""After a command; without it Airflow takes one that ends in .sh for the name of a template."""


def dag(plan: Plan, *, start: tuple[int, int, int]) -> tuple[dict[str, str], list[str]]:
    """The DAG's file, and what Airflow does otherwise than the schedule says.

    Args:
        plan: Which run, and when.
        start: Year, month and day from which the schedule counts.
    """
    schedule = plan.schedule
    catchup = schedule.catch_up == "all"
    text = TEMPLATE.format(
        name=plan.name,
        dag_id=f"elman_{plan.name}",
        description=f"Elman: runs of {plan.name}",
        cron=plan.cron.expanded,
        start=", ".join(map(str, start)),
        timezone=schedule.timezone,
        catchup=catchup,
        # A task that is stopped gets SIGTERM, which would end a run at once, as a kill does; SIGINT
        # lets it close what it has open.
        run=_untouched(_interruptible(plan.run)) + SPACE,
        folder=_untouched(str(plan.config.parent)),
    )
    notes = [
        f"copy elman_{plan.name}.py to the DAGs folder; it starts paused: "
        f"airflow dags unpause elman_{plan.name}",
    ]
    if catchup:
        notes.append("catch_up_limit: Airflow has none; with catchup it runs all missed times")
    if schedule.catch_up == "none":
        notes.append("catch_up: none: Airflow 2 still runs the last missed time")
    if schedule.jitter:
        notes.append("Airflow has no jitter: runs start at the time itself")
    return {f"elman_{plan.name}.py": text}, notes


def _interruptible(command: tuple[str, ...]) -> str:
    # set -m: a process group of its own, which Airflow's SIGTERM does not reach, and which does
    # not ignore SIGINT, as the background commands of a script do otherwise.
    return (
        f"set -m; {shlex.join(command)} & night=$!; "
        'trap "kill -INT -- -$night" TERM INT; wait $night; code=$?; '
        "while kill -0 $night 2> /dev/null; do wait $night; code=$?; done; exit $code"
    )


def _untouched(text: str) -> str:
    """`text` as Airflow's templates, which it fills in commands and folders, leave it alone."""
    if "{{" in text or "{%" in text or "{#" in text:
        return "{% raw %}" + text + "{% endraw %}"
    return text
