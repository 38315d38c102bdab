"""How a network is trained, as configured."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from models.section import Section
from models.training.execution import ExecutionConfig
from models.training.gradient_flow.config import GradientFlowConfig


class ClipConfig(Section):
    """Gradient clipping by exactly one of three measures (Pascanu et al., 2013, for the norm)."""

    global_norm: float | None = Field(
        default=None, gt=0, description="limit of the norm over all gradients"
    )
    norm: float | None = Field(default=None, gt=0, description="limit of the norm of each gradient")
    value: float | None = Field(default=None, gt=0, description="limit of each element")

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

    kind: Literal["constant", "cosine", "exponential", "plateau"] = Field(
        default="constant",
        description="constant, cosine to the floor, factor per epoch, or drop without progress",
    )
    warmup: float = Field(default=0.0, ge=0, description="epochs")
    decay: float = Field(
        default=0.5, gt=0, le=1, description="factor per epoch (exponential) or drop (plateau)"
    )
    floor: float = Field(default=0.0, ge=0, lt=1, description="lowest rate as a share of the first")
    patience: int = Field(default=2, ge=1, description="epochs without progress before a drop")


class TruncatedBptt(Section):
    """Truncated backpropagation through time over streams, in place of shuffled windows.

    Every series is read from its start, and again after every hole, `truncated` steps at a time.
    The state is carried from chunk to chunk, the gradient goes back to the start of its chunk,
    and there is a forecast, with its loss, at every step whose labels are in the train split.
    `batch_size` is then the number of series side by side. Validation and backtest read series
    from their start in the same way. The network must be able to stream: no `bidirectional`, and
    `normalize: standard` or `none`.
    """

    truncated: int = Field(ge=1, description="steps of a chunk")


class OptimizationConfig(Section):
    """What steps are taken."""

    epochs: int = Field(default=40, ge=1, description="most passes over the train sequences")
    batch_size: int = Field(default=64, ge=1, description="sequences in a step")
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = Field(
        default="adam", description="as in Keras"
    )
    learning_rate: float = Field(default=1e-3, gt=0, description="the highest rate")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled, as in AdamW; 0: none")
    schedule: ScheduleConfig = ScheduleConfig()

    @model_validator(mode="after")
    def _warmup_ends(self) -> Self:
        if self.schedule.warmup >= self.epochs:
            raise ValueError(
                f"schedule.warmup ({self.schedule.warmup:g} epochs) must be shorter than the "
                f"training (epochs: {self.epochs})"
            )
        return self


class SupervisionConfig(Section):
    """What watches over the steps, and where they are taken."""

    clip: ClipConfig | None = ClipConfig(global_norm=1.0)
    patience: int | None = Field(default=5, ge=1, description="epochs; null: no early stopping")
    min_delta: float = Field(
        default=0.0, ge=0, description="least fall of the validation loss that counts as progress"
    )
    seed: int = Field(default=7, ge=0, lt=2**31, description="of weights, shuffling and dropout")
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        default="float32", description="of the arithmetic inside the network"
    )
    devices: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="auto: every GPU there is, else the CPU"
    )

    gradient_flow: GradientFlowConfig = GradientFlowConfig()
    execution: ExecutionConfig = Field(
        default=ExecutionConfig(),
        # A key that is left out changes no digest.
        exclude_if=lambda value: value == ExecutionConfig(),
    )


class FittingConfig(SupervisionConfig, OptimizationConfig):
    """The keys that the training of every task has."""

    warm_start: bool = Field(
        default=False,
        # A key that is left out changes no digest, so that trained models stay in the cache.
        exclude_if=lambda value: not value,
        description="begin with the champion's weights where model, columns and what is predicted "
        "are the same; the optimizer and the scaling are new",
    )

    @property
    def one_device(self) -> bool:
        """Whether the training cannot be spread over several devices."""
        return False


class _Forecasts(OptimizationConfig):
    """What only forecasting has. Keys come in the order of bases, the last base first, so that
    these stand between those of the two halves of `FittingConfig`.
    """

    loss: Literal["mse", "mae", "huber"] = Field(
        default="mse", description="in standard deviations of each target"
    )
    huber_delta: float = Field(default=1.0, gt=0, description="in standard deviations of a target")
    clip: ClipConfig | None  # for its place alone; the default is that of SupervisionConfig
    bptt: Literal["full"] | TruncatedBptt = Field(
        default="full",
        description="backpropagation through time: over the whole lookback of shuffled windows, "
        "or through chunks of streams with the state carried on",
    )


class TrainConfig(FittingConfig, _Forecasts):
    """Optimisation, early stopping and hardware options."""

    epochs: int = Field(default=40, ge=1, description="most passes over the train windows")
    batch_size: int = Field(
        default=64, ge=1, description="windows in a step; with truncated bptt, most series in one"
    )

    @property
    def one_device(self) -> bool:
        """Whether the state is carried from step to step, which one device does."""
        return isinstance(self.bptt, TruncatedBptt)
