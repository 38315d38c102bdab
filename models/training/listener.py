"""`Listener`: who hears how training goes; `components.tracking.recorder.Recorder` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Listener(Protocol):
    """The part of a recorder that training speaks to."""

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Records metrics of epoch `step`, counted from 1."""

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Says that `done` of `total` epochs are finished."""

    def warn(self, text: str) -> None:
        """Says something a person should read."""
