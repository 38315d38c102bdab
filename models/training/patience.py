"""`Patience`: when to give up waiting for a loss to fall."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass
class Patience:
    """Counts the epochs since a loss last fell by more than `min_delta`.

    The rule of Keras' EarlyStopping and ReduceLROnPlateau, as state that can be written to a
    checkpoint: theirs starts again from nothing when a killed run is resumed.

    Attributes:
        limit: Epochs without progress that are too many; None: never.
        min_delta: What a fall must exceed to count, in units of the loss.
        reference: The loss that was last progress.
        wait: Epochs since then.
    """

    limit: int | None
    min_delta: float = 0.0
    reference: float = math.inf
    wait: int = 0

    def exhausted(self, loss: float) -> bool:
        """Takes the loss of the next epoch and says whether patience has run out."""
        if self.reference - loss > self.min_delta:
            self.reference, self.wait = loss, 0
            return False
        self.wait += 1
        return self.limit is not None and self.wait >= self.limit

    def state(self) -> dict[str, float]:
        """What must be kept to go on later."""
        return {k: v for k, v in asdict(self).items() if k in ("reference", "wait")}

    def restore(self, state: dict[str, float]) -> None:
        """Goes on from `state`."""
        self.reference, self.wait = float(state["reference"]), int(state["wait"])
