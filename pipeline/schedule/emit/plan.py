"""What an emitted file says: which run, where, when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.errors import BadInputError
from pipeline.config import LoadedConfig
from pipeline.schedule.config import ScheduleConfig
from pipeline.schedule.cron import Cron
from pipeline.schedule.process_job import elman_command


@dataclass(frozen=True)
class Plan:
    """Which run, where, when.

    Attributes:
        name: Of the pipeline; letters, digits, `_` and `-`.
        config: The configuration file, absolute.
        command: How `elman` is called, without arguments.
        workspace: Absolute.
        schedule: When.
    """

    name: str
    config: Path
    command: tuple[str, ...]
    workspace: Path
    schedule: ScheduleConfig

    @property
    def cron(self) -> Cron:
        """The times."""
        return Cron.parse(self.schedule.cron)

    @property
    def run(self) -> tuple[str, ...]:
        """One run, as a list of arguments."""
        return (*self.command, "run", str(self.config), "--if-new")


def plan(loaded: LoadedConfig, schedule: ScheduleConfig) -> Plan:
    """The plan of a configuration on this machine.

    Raises:
        BadInputError: If a path has a line break in it, which these files cannot hold.
    """
    found = Plan(
        name=loaded.config.name,
        config=loaded.path,
        command=tuple(elman_command()),
        workspace=loaded.workspace,
        schedule=schedule,
    )
    for text in (*found.run, str(found.workspace)):
        if not text.isprintable():
            raise BadInputError(
                f"received the path {text!r}, expected one without line breaks and control "
                "characters; units and crontabs cannot hold these"
            )
    return found
