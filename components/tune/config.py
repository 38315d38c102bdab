"""How better values are searched for, as configured."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from models.section import Section

WINDOW = "window."
"""What the keys begin with that change the windows and not only the network."""


class ParameterConfig(Section):
    """The values to try for one key: a list of choices, or a range from `min` to `max`.

    Choices are values as they would stand in the configuration: numbers, words, lists such as
    `[64, 64]` for `model.units`, `null`. Write them as a list: `model.cell: [lstm, gru]`. A range
    is written as a mapping: `train.learning_rate: {min: 1.0e-4, max: 1.0e-2, scale: log}`; of a
    whole-number key it gives whole numbers, both ends included.
    """

    choices: tuple[Any, ...] | None = Field(
        default=None, min_length=1, description="the values; or write the list itself"
    )
    min: int | float | None = Field(default=None, description="lowest value of a range")
    max: int | float | None = Field(default=None, description="highest value of a range")
    step: int | float | None = Field(
        default=None, gt=0, description="between two values of a linear range; null: any value"
    )
    scale: Literal["linear", "log"] = Field(
        default="linear", description="log: equal factors are equally likely, not equal steps"
    )

    @model_validator(mode="before")
    @classmethod
    def _list_of_choices(cls, data: Any) -> Any:
        return {"choices": tuple(data)} if isinstance(data, (list, tuple)) else data

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.choices is not None:
            if (self.min, self.max, self.step, self.scale) != (None, None, None, "linear"):
                raise ValueError(
                    "received choices together with a range; give a list of choices, or min and "
                    "max, with step or scale if need be"
                )
            shown = [repr(choice) for choice in self.choices]
            if len(set(shown)) < len(shown):
                raise ValueError(f"received a choice twice: {', '.join(shown)}; list it once")
            return self
        if self.min is None or self.max is None:
            raise ValueError(
                "received neither choices nor a whole range; write a list such as [32, 64], or "
                "{min: ..., max: ...}"
            )
        if self.min >= self.max:
            raise ValueError(f"received min {self.min:g} and max {self.max:g}; min must be below")
        if self.scale == "log" and (self.min <= 0 or self.step is not None):
            raise ValueError(
                f"received scale log with min {self.min:g} and step {self.step}; it needs a min "
                "above 0 and no step"
            )
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """The choices, or both ends of the range."""
        return self.choices if self.choices is not None else (self.min, self.max)


class TuneConfig(Section):
    """A search for better values of any key under `model`, `window` and `train`, before training.

    Each trial trains one network with some of the values and is judged by the validation loss of
    its best epoch. The values of the best trial go to `windows`, `train` and everything after, in
    place of those of the file. Trials are runs of their own in MLflow, nested in that of `tune`.

    `random` draws values independently; `bayesian` draws some and then follows a Gaussian process;
    `hyperband` trains many for a few epochs, and the best of them for more, up to `train.epochs`.

    The state of a search is kept in the workspace after every trial: a run that was killed goes on
    where it stopped. It belongs to the data, the configuration and the code; `max_trials`,
    `max_minutes` and `parallel` may change, and a search with more trials goes on as well.

    All trials are judged by the same validation windows: those with room for the longest lookback
    of the space, at the stride of the file. `window.horizon`, `window.gap`, `train.loss` and
    `train.huber_delta` change what the validation loss measures and cannot be tuned.
    """

    algorithm: Literal["random", "hyperband", "bayesian"] = Field(
        default="bayesian", description="how the values of the next trial are chosen"
    )
    space: dict[str, ParameterConfig] = Field(
        min_length=1,
        description="values to try, by key: `model.units`, `window.lookback` and so on",
    )
    max_trials: int = Field(default=20, ge=1, description="trials in all, failed ones included")
    max_minutes: float | None = Field(
        default=None,
        gt=0,
        description="of the whole search, over all its starts; then the best so far counts and "
        "running trials are ended (the first to finish is always waited for); null: no limit",
    )
    parallel: int = Field(
        default=1, ge=1, description="trials at a time, in processes that share the cores"
    )
    seed: int = Field(default=7, ge=0, lt=2**31, description="of the values tried")
    try_config: bool = Field(
        default=True,
        description="the first trial has the values of this file, where the space holds them, so "
        "that tuning never ends worse than it began",
    )
    every_days: float | None = Field(
        default=None,
        gt=0,
        description="days for which found values are used for newer data, too, before the search "
        "is made again; null: it is made whenever the data has changed",
    )

    @field_validator("space")
    @classmethod
    def _comparable(cls, value: dict[str, ParameterConfig]) -> dict[str, ParameterConfig]:
        for key in value:
            if key in INCOMPARABLE:
                raise ValueError(f"received {key!r}, {INCOMPARABLE[key]}")
        return value

    @model_validator(mode="after")
    def _hyperband_chooses_epochs(self) -> Self:
        if self.algorithm == "hyperband" and "train.epochs" in self.space:
            raise ValueError(
                "received train.epochs in tune.space together with algorithm: hyperband, which "
                "chooses the epochs itself, up to train.epochs; remove it from the space"
            )
        return self

    @property
    def tunes_windows(self) -> bool:
        """Whether the windows depend on what is found."""
        return any(key.startswith(WINDOW) for key in self.space)


_TASK = (
    "which changes what is forecast: trials with different values cannot be held against each other"
)
_UNIT = "which changes the unit of the validation loss that trials are compared by"
INCOMPARABLE = {
    "window.horizon": _TASK,
    "window.gap": _TASK,
    "train.loss": _UNIT,
    "train.huber_delta": _UNIT,
}
"""Keys that cannot be tuned, and why."""
