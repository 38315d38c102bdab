"""What a search asks of a trial, and what it hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Order:
    """A trial to be run.

    Attributes:
        id: Of the trial.
        values: By dotted key, as they would stand in the configuration.
        epochs: Most epochs; None: as configured.
        continues: The trial that this one goes on from, or None.
    """

    id: str
    values: Mapping[str, Any]
    epochs: int | None = None
    continues: str | None = None


@dataclass(frozen=True)
class Epoch:
    """A trial has finished an epoch, counted from 1, with these figures."""

    slot: int
    epoch: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """A trial has ended.

    Attributes:
        slot: Where it ran.
        val_loss: Validation loss of the best epoch; None if the trial failed.
        best_epoch: That epoch, from 1.
        epochs: Epochs trained.
        seconds: Wall time.
        message: Why it failed.
        broken: Whether the process died, and not only the trial.
    """

    slot: int
    val_loss: float | None = None
    best_epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    message: str = ""
    broken: bool = False


Event = Epoch | Outcome
Say = Callable[[int, Mapping[str, float]], None]
"""Called after each epoch with its number from 1 and its figures."""


@dataclass(frozen=True)
class Result:
    """What a finished trial came to; see `Outcome`."""

    val_loss: float
    best_epoch: int
    epochs: int


class Run(Protocol):
    """Runs one trial; goes to another process, so it must be picklable."""

    def __call__(self, order: Order, say: Say) -> Result:
        """Trains.

        Raises:
            ElmanError: If the values or the data do not allow it, or the loss is not finite.
        """


class Runner(Protocol):
    """Runs several trials at a time."""

    @property
    def slots(self) -> int:
        """How many."""

    def start(self, slot: int, order: Order) -> None:
        """Starts a trial in a free slot."""

    def wait(self, timeout: float | None) -> list[Event]:
        """What has happened since; waits for it for at most `timeout` seconds."""

    def close(self) -> None:
        """Ends all that runs."""
