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

    cell: Literal["simple_rnn", "lstm", "gru"] = Field(
        default="lstm", description="recurrent cell; simple_rnn is the Elman network"
    )
    units: tuple[int, ...] = Field(
        default=(64,),
        min_length=1,
        description="width of each recurrent layer, the first layer first",
    )
    bidirectional: bool = Field(default=False, description="read each window in both directions")
    shortcut: bool = Field(default=False, description="add a linear forecast from the lookback")
    activation: Literal["tanh", "sigmoid", "relu"] = Field(
        default="tanh", description="of the cell; other than tanh rules out cuDNN"
    )
    dropout: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="share of a layer's inputs dropped in training"
    )
    recurrent_dropout: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="share of the state dropped in training; rules out cuDNN",
    )
    channels: Literal["mixed", "shared"] = Field(
        default="mixed",
        description="one network over all targets, or one set of weights applied to each",
    )
    normalize: Literal["standard", "window", "none"] = Field(
        default="standard", description="what happens to target values inside the graph"
    )

    @field_validator("units")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(u < 1 for u in value):
            raise ValueError(f"every layer needs at least 1 unit, got {list(value)}")
        return value
