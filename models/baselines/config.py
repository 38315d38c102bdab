"""Which baselines are scored, and their few settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.section import Section

BaselineName = Literal["naive", "seasonal_naive", "ar", "ffnn", "lds"]


class BaselinesConfig(Section):
    """Baselines scored on the same windows as the model, in every run."""

    names: tuple[BaselineName, ...] = Field(
        default=("naive", "seasonal_naive", "ar", "ffnn"),
        description="baselines that are fitted and scored",
    )
    season: int | None = Field(default=None, ge=1, description="steps; null: from the frequency")
    ar_max_lags: int | None = Field(default=None, ge=1, description="null: from the lookback")
    ffnn_units: tuple[int, ...] = Field(
        default=(64,), description="width of each layer of the feed-forward network"
    )
    ffnn_epochs: int = Field(default=20, ge=1, description="most passes over the train windows")
    ffnn_seed: int = Field(default=7, ge=0, lt=2**31, description="of its weights and shuffling")
    lds_states: int | None = Field(
        default=None, ge=1, description="of the linear dynamical system; null: by BIC"
    )
    lds_iterations: int = Field(
        default=10, ge=0, description="most iterations of its expectation maximisation"
    )

    @field_validator("names")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError(f"a baseline is listed twice: {list(value)}")
        return value
