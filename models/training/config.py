"""How a network is trained, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from models.section import Section


class ClipConfig(Section):
    """Gradient clipping by exactly one of three measures (Pascanu et al., 2013, for the norm)."""

    global_norm: float | None = Field(default=None, gt=0)
    norm: float | None = Field(default=None, gt=0)
    value: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _exactly_one(self) -> ClipConfig:
        given = [k for k in ("global_norm", "norm", "value") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of global_norm, norm and value, got {given or 'none'}; "
                "to train without clipping write clip: null"
            )
        return self


class ScheduleConfig(Section):
    """Learning rate over time; `warmup` epochs rise linearly from zero first."""

    kind: Literal["constant", "cosine", "exponential", "plateau"] = "constant"
    warmup: float = Field(default=0.0, ge=0, description="epochs")
    decay: float = Field(
        default=0.5, gt=0, le=1, description="factor per epoch (exponential) or drop (plateau)"
    )
    floor: float = Field(default=0.0, ge=0, lt=1, description="lowest rate as a share of the first")
    patience: int = Field(default=2, ge=1, description="epochs without progress before a drop")


class TrainConfig(Section):
    """Optimisation, early stopping and hardware options."""

    epochs: int = Field(default=40, ge=1)
    batch_size: int = Field(default=64, ge=1)
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: ScheduleConfig = ScheduleConfig()
    loss: Literal["mse", "mae", "huber"] = "mse"
    huber_delta: float = Field(default=1.0, gt=0, description="in standard deviations of a target")
    clip: ClipConfig | None = ClipConfig(global_norm=1.0)
    bptt: Literal["full"] = "full"
    patience: int | None = Field(default=5, ge=1, description="epochs; null: no early stopping")
    min_delta: float = Field(default=0.0, ge=0)
    seed: int = Field(default=7, ge=0, lt=2**31)
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    devices: Literal["auto", "cpu", "gpu"] = "auto"

    @model_validator(mode="after")
    def _warmup_ends(self) -> TrainConfig:
        if self.schedule.warmup >= self.epochs:
            raise ValueError(
                f"schedule.warmup ({self.schedule.warmup:g} epochs) must be shorter than the "
                f"training (epochs: {self.epochs})"
            )
        return self
