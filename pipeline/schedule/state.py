"""`schedule.json` in the workspace: how far a schedule has come, for the next start."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from models.section import Section

NAME = "schedule.json"


class ScheduleState(Section):
    """How far a schedule has come.

    Attributes:
        timetable: Names the times, `0 3 * * * Europe/Berlin`.
        last: The last planned time that was dealt with, ISO 8601 with its offset.
        status: What became of it.
        text: The same in words.
        next: The planned time after it.
        failures: Failed or blocked runs one after the other, up to now.
    """

    timetable: str
    last: str
    status: str = ""
    text: str = ""
    next: str = ""
    failures: int = Field(default=0, ge=0)

    @property
    def words(self) -> str:
        """One line for people; times in UTC."""

        def utc(text: str) -> str:
            return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"

        if not self.status or not self.next:
            return f"schedule {self.timetable}: no run yet, started {utc(self.last)}"
        again = f" ({self.failures} in a row)" if self.failures > 1 else ""
        return (
            f"schedule {self.timetable}: run of {utc(self.last)} "
            f"{self.status.replace('_', ' ')}{again}; the next one after it: {utc(self.next)}"
        )

    @property
    def moment(self) -> datetime:
        """`last` as a moment."""
        return datetime.fromisoformat(self.last)


class StateFile:
    """The file, replaced as a whole each time."""

    def __init__(self, workspace: Path) -> None:
        self._path = workspace / NAME

    def read(self, timetable: str | None = None) -> ScheduleState | None:
        """The state that a schedule left; None if there is none to use.

        Args:
            timetable: Only that of a schedule with the same times; None: of any.
        """
        try:
            state = ScheduleState.model_validate(json.loads(self._path.read_text()))
            known = state.moment.tzinfo is not None
        except (OSError, ValidationError, ValueError):
            return None
        return state if known and timetable in (None, state.timetable) else None

    def write(self, state: ScheduleState) -> None:
        """Keeps `state`.

        Raises:
            OSError: If the file cannot be written.
        """
        temporary = self._path.with_name(f".{NAME}.{os.getpid()}")
        try:
            with temporary.open("w") as file:
                file.write(state.model_dump_json(indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)
