"""`NestedRun`: a run below a component's own, such as one trial of a search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from components.tracking.delivery import Delivery
from components.tracking.mlflow_recorder import MlflowRecorder

Ended = Literal["FINISHED", "FAILED", "KILLED"]


class NestedRun(MlflowRecorder):
    """A `NestedRecorder`: writes to a run of its own until `end`."""

    def __init__(
        self, delivery: Delivery, run_id: str, finish: Callable[[str, Ended, str], None]
    ) -> None:
        """Takes a run that was started.

        Args:
            delivery: To the store that keeps it.
            run_id: The run.
            finish: Ends it, given its id, how it ended, and why (empty for no reason to tell).
        """
        super().__init__(delivery, lambda: run_id)
        self._finish = finish

    def end(self, status: Ended, message: str = "") -> None:
        """Ends the run.

        Args:
            status: How.
            message: Why, for the tag `elman.error`; empty for no reason to tell.
        """
        self._finish(self.run_id, status, message)
