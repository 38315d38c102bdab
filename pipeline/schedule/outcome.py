"""What became of a planned run, and how the loop asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pipeline.schedule.stop import Stop

Status = Literal["finished", "nothing_new", "failed", "blocked", "interrupted", "busy"]


@dataclass(frozen=True)
class Outcome:
    """What became of a planned run.

    Attributes:
        status: `blocked` is bad input (data that breaks its schema, a broken configuration);
            `busy`: the workspace is in use, nothing was done.
        text: A few words for people.
    """

    status: Status
    text: str = ""


class Job(Protocol):
    """One run."""

    def __call__(self, planned: datetime, stop: Stop) -> Outcome:
        """Runs once and comes back when the run is over.

        Args:
            planned: The moment the schedule names, UTC.
            stop: When asked, the run may go on for its grace time and is interrupted then.
        """
