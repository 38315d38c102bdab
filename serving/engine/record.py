"""`Record`: a version of a model as the manager keeps it."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from pathlib import Path

from serving.engine.availability import Phase, Snapshot
from serving.engine.completeness import Inspection
from serving.engine.look import Known
from serving.engine.servable import Servable
from serving.engine.version_status import State, VersionStatus
from serving.status import Code, ServingError

_STATES = {
    Phase.NEW: State.START,
    Phase.LOADING: State.LOADING,
    Phase.READY: State.AVAILABLE,
    Phase.UNLOADING: State.UNLOADING,
    Phase.ENDED: State.END,
    Phase.FAILED: State.END,
}


@dataclass(eq=False)
class Record:
    """A version in a folder, and how far it has come; used on the event loop only.

    Attributes:
        version: Its number.
        path: Its folder.
        phase: How far it is.
        aspired: Whether it should be served.
        servable: While it is ready or being dropped.
        users: Requests that it answers now.
        unused: Set whenever there are none.
        inspection: The last look at its folder, as long as it is not loaded.
        tried: The inspection before the last attempt to load it.
        failure: Why that attempt failed.
        attempts: Since the folder has changed.
        due: Time of the event loop of the next attempt.
    """

    version: int
    path: Path
    phase: Phase = Phase.NEW
    aspired: bool = True
    servable: Servable | None = None
    users: int = 0
    unused: asyncio.Event = field(default_factory=asyncio.Event)
    inspection: Inspection | None = None
    tried: Inspection | None = None
    failure: ServingError | None = None
    attempts: int = 0
    due: float = math.inf

    def __post_init__(self) -> None:
        self.unused.set()

    @property
    def missing(self) -> str | None:
        """What is missing in the folder of a version that was not loaded yet."""
        if self.phase is not Phase.NEW or self.inspection is None:
            return None
        return self.inspection.missing

    def inspected(self, inspection: Inspection) -> None:
        """Takes note of a look at its folder.

        What could not be loaded is tried again when its files have changed, and have stopped
        changing: they were the same at two looks.
        """
        settled = self.inspection == inspection
        self.inspection = inspection
        if self.phase is Phase.FAILED and settled and self.tried != inspection:
            self.phase, self.attempts, self.due = Phase.NEW, 0, math.inf

    def snapshot(self, now: float) -> Snapshot:
        """As the policy sees it: what cannot be loaded now has failed, what is due is new."""
        phase = self.phase
        if phase is Phase.NEW and self.missing is not None:
            phase = Phase.FAILED
        elif phase is Phase.FAILED and self.due <= now:
            phase = Phase.NEW
        return Snapshot(self.version, phase, self.aspired)

    def known(self) -> Known:
        """What a look at its folder need not find out."""
        return Known(
            loaded=self.phase not in (Phase.NEW, Phase.FAILED),
            broken=self.phase is Phase.FAILED,
            inspection=self.inspection,
        )

    def failed(self, error: ServingError, *, retries: int, due: float) -> None:
        """Takes note of an attempt that failed."""
        self.attempts += 1
        self.phase, self.failure = Phase.FAILED, error
        self.due = due if self.attempts <= retries else math.inf

    def taken(self) -> Servable:
        """Its servable, which stays until `left` is called."""
        assert self.servable is not None
        self.users += 1
        self.unused.clear()
        return self.servable

    def left(self) -> None:
        """Undoes `taken`."""
        self.users -= 1
        if not self.users:
            self.unused.set()

    def status(self) -> VersionStatus:
        """For clients."""
        state = _STATES[self.phase]
        if self.phase is Phase.FAILED and self.failure is not None:
            return VersionStatus(self.version, state, self.failure.code, self.failure.message)
        if self.missing is not None:
            return VersionStatus(self.version, state, Code.OK, f"not complete: {self.missing}")
        return VersionStatus(self.version, state)
