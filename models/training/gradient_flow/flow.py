"""`GradientFlow`: one measurement, and what it says about learning. Needs no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

FALLEN = 0.01
"""At or below this share of the norm at lag 0, a step counts as out of the gradient's reach."""
BACKWARD = "backward"
"""After a layer's name and a blank: its direction that reads the last step first."""
LOOKBACK = "a shorter window.lookback is faster"
EXPLODED = 100.0
"""Above this multiple of the norm at lag 0, the gradient counts as exploding."""


def reach(norms: Sequence[float]) -> int:
    """The lag from which on the norm stays at or below 1% of that at lag 0.

    Args:
        norms: By lag, the last step read first.

    Returns:
        From 0 (all norms are zero) to `len(norms)` (the norm never falls so far).
    """
    limit = FALLEN * norms[0]
    return max((lag + 1 for lag, norm in enumerate(norms) if not norm <= limit), default=0)


@dataclass(frozen=True)
class GradientFlow:
    """Norms of the gradient of the loss by the states of recurrent layers, at one time.

    Attributes:
        epoch: Finished epochs.
        norms: By recurrent layer, the first layer first: one norm for each lag. Lag 0 is the step
            that the layer reads last: for the backward direction of a bidirectional layer, the
            first of the window.
    """

    epoch: int
    norms: Mapping[str, Sequence[float]]

    @property
    def reach(self) -> int:
        """How far back the network learns: the reach of its first recurrent layer.

        All that the layers above know of a step has passed through the state of the first one
        there. Of two directions it is the one that reaches farther.
        """
        return max(reach(norms) for norms in self._first().values())

    def vanishing(self, shorter: str = LOOKBACK) -> str | None:
        """A warning, if the gradient does not reach back to the first step that is read.

        Args:
            shorter: What to do where the steps that are not reached do not matter.
        """
        name, norms = next(iter(self._first().items()))
        lag, steps = self.reach, len(norms)
        if lag == steps:
            return None
        if lag == 0:
            return (
                f"no gradient: after epoch {self.epoch} the loss does not depend on the states of "
                f"{name} at all; its units may be dead (model.activation relu with a high "
                "train.learning_rate) or the targets constant"
            )
        return (
            f"gradients vanish: after epoch {self.epoch} the gradient of the loss by the state of "
            f"{name} is at most {FALLEN:.0%} of that at the last step from {lag} steps back on, so "
            f"the network hardly learns from the first {steps - lag} of the {steps} steps that it "
            "reads. If they matter, try another model.cell (lstm and gru are made for this) or "
            f"model.shortcut, which reads them directly; if they do not, {shorter}"
        )

    def exploding(self) -> str | None:
        """A warning, if some layer's gradient grows a hundredfold on its way back."""
        worst, where, at = EXPLODED, "", 0
        for name, norms in self.norms.items():
            for lag, norm in enumerate(norms):
                growth = norm / norms[0] if norms[0] > 0 else 0.0
                growth = math.inf if math.isnan(growth) else growth
                if growth > worst:
                    worst, where, at = growth, name, lag
        if not where:
            return None
        return (
            f"gradients explode: after epoch {self.epoch} the gradient of the loss by the state of "
            f"{where}, before clipping, is {worst:.3g} times as large {at} steps back as at the "
            f"last step (more than {EXPLODED:g} is too much). Clip gradients (train.clip: "
            "{global_norm: 1.0}), lower train.learning_rate, or try model.cell lstm or gru"
        )

    def _first(self) -> dict[str, Sequence[float]]:
        name = next(iter(self.norms))
        ways = (name, f"{name} {BACKWARD}")
        return {way: self.norms[way] for way in ways if way in self.norms}

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> GradientFlow:
        """What `to_json` gave."""
        return cls(epoch=values["epoch"], norms=values["norms"])
