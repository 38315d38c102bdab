"""`TrainingHistory`: what happened in training, epoch by epoch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

SERIES = (
    "loss",
    "val_loss",
    "learning_rate",
    "gradient_norm",
    "gradient_norm_max",
    "clipped_share",
    "skipped_share",
    "seconds",
)
"""What is kept for every epoch."""


@dataclass
class TrainingHistory:
    """The course of one training; epochs count from 1.

    Attributes:
        epochs: By name of `SERIES`, one value per finished epoch: `loss` (mean over observed
            label cells during the epoch, dropout on), `val_loss` (after it, dropout off), both in
            units of the loss over standard deviations; `learning_rate` of the last step;
            `gradient_norm` (mean) and `gradient_norm_max`, global norms before clipping;
            `clipped_share` of steps; `skipped_share` of steps lost to float16 overflow; `seconds`.
        best_epoch: The epoch whose weights were kept: the lowest validation loss.
        best_val_loss: Its validation loss.
        stopped: `epochs` (all were run) or `patience` (early stopping).
        parameters: Trainable parameters.
        train_windows: Windows per epoch.
        validation_windows: Windows of the validation split.
        gradient_flow: Measurements of `models.training.gradient_flow`, in the order of epochs: each
            `epoch`, and `norms` by recurrent layer and lag.
        resumed_after: Finished epochs found when the run last started; 0 for one uninterrupted.
        warm_start: With `train.warm_start`, whether it began with the champion's weights, and if
            not, why: see `components.train.warm_start.WarmStart`. Empty otherwise.
        execution: What `train.execution` came to on the machine of the last start.
    """

    epochs: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SERIES})
    best_epoch: int = 0
    best_val_loss: float = float("inf")
    stopped: str = "epochs"
    parameters: int = 0
    train_windows: int = 0
    validation_windows: int = 0
    gradient_flow: list[dict[str, Any]] = field(default_factory=list)
    resumed_after: int = 0
    warm_start: dict[str, Any] = field(default_factory=dict)
    execution: dict[str, Any] = field(default_factory=dict)

    @property
    def epochs_run(self) -> int:
        """Number of finished epochs."""
        return len(self.epochs["loss"])

    @property
    def seconds(self) -> float:
        """Time spent in epochs, over all starts of the run."""
        return sum(self.epochs["seconds"])

    def append(self, values: dict[str, float]) -> None:
        """Adds an epoch; `values` has exactly the names of `SERIES`."""
        if set(values) != set(SERIES):
            raise ValueError(f"expected {sorted(SERIES)}, got {sorted(values)}")
        for name, value in values.items():
            self.epochs[name].append(float(value))

    def at(self, epoch: int) -> dict[str, float]:
        """The values of one epoch, counted from 1."""
        return {name: values[epoch - 1] for name, values in self.epochs.items()}

    def to_json(self) -> str:
        """As JSON, with the derived totals."""
        return json.dumps(
            {**asdict(self), "epochs_run": self.epochs_run, "seconds": self.seconds}, indent=1
        )

    @classmethod
    def from_json(cls, text: str) -> TrainingHistory:
        """What `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        return cls(**{k: v for k, v in values.items() if k not in ("epochs_run", "seconds")})
