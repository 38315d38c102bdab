"""The shape of a network, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.section import Section


class ModelConfig(Section):
    """A stack of recurrent layers with a direct multi-horizon head.

    `channels: mixed` is one network over all columns; `shared` applies the same weights to each
    target by itself. `normalize: standard` scales with constants of the train split; `window`
    subtracts each window's last value and divides by the window's spread; `none` leaves values.
    `shortcut` adds a linear forecast from the lookback, past the recurrent layers.
    """

    cell: Literal["simple_rnn", "lstm", "gru"] = "lstm"
    units: tuple[int, ...] = Field(default=(64,), min_length=1)
    bidirectional: bool = False
    shortcut: bool = False
    activation: Literal["tanh", "sigmoid", "relu"] = "tanh"
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    recurrent_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    channels: Literal["mixed", "shared"] = "mixed"
    normalize: Literal["standard", "window", "none"] = "standard"

    @field_validator("units")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(u < 1 for u in value):
            raise ValueError(f"every layer needs at least 1 unit, got {list(value)}")
        return value
