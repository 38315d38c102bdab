"""The shape of a network, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from models.section import Section


class RecurrentConfig(Section):
    """A stack of recurrent layers: the keys that networks of every task have."""

    cell: Literal["simple_rnn", "lstm", "gru", "second_order"] = Field(
        default="lstm",
        description="recurrent cell; simple_rnn is the Elman network, second_order a "
        "multiplicative one",
    )
    units: tuple[int, ...] = Field(
        default=(64,),
        min_length=1,
        description="width of each recurrent layer, the first layer first",
    )
    bidirectional: bool = Field(default=False, description="read each sequence in both directions")
    shortcut: bool = Field(default=False, description="add a linear map from inputs to outputs")
    activation: Literal["tanh", "sigmoid", "relu"] = Field(
        default="tanh",
        description="of the state, not of gates; relu as in Le et al. (2015), and other than "
        "tanh rules out cuDNN",
    )
    dropout: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="share of a layer's inputs dropped in training, the same at every step",
    )
    recurrent_dropout: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="share of the state dropped in training, the same at every step (Gal and "
        "Ghahramani, 2016); rules out cuDNN",
    )

    @field_validator("units")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(u < 1 for u in value):
            raise ValueError(f"every layer needs at least 1 unit, got {list(value)}")
        return value


class ModelConfig(RecurrentConfig):
    """A stack of recurrent layers with a direct multi-horizon head.

    `channels: mixed` is one network over all columns; `shared` applies the same weights to each
    target by itself. `normalize: standard` scales with constants of the train split; `window`
    subtracts each window's last value and divides by the window's spread; `none` leaves values.
    `shortcut` adds a linear forecast from the lookback, past the recurrent layers (the
    autoregressive part of LSTNet: Lai et al., 2018).

    Cells: `simple_rnn` is the Elman network (Elman, 1990); `lstm` is that of Hochreiter and
    Schmidhuber (1997) with a forget gate (Gers et al., 2000); `gru` that of Cho et al. (2014);
    `second_order` multiplies state and input, so that the input chooses how the state changes
    (second-order networks: Giles et al., 1992; here in the factored form of Sutskever et al., 2011,
    the multiplicative RNN). Layers of a stack read the states of the layer below at every step
    (Graves et al., 2013). Bidirectional layers (Schuster and Paliwal, 1997) read the window both
    ways and join the two states.

    Recurrent kernels start orthogonal (Saxe et al., 2014), input kernels Glorot uniform (Glorot and
    Bengio, 2010), and the forget gate of an LSTM with a bias of 1 (Jozefowicz et al., 2015).
    """

    bidirectional: bool = Field(default=False, description="read each window in both directions")
    shortcut: bool = Field(default=False, description="add a linear forecast from the lookback")
    channels: Literal["mixed", "shared"] = Field(
        default="mixed",
        description="one network over all targets, or one set of weights applied to each",
    )
    normalize: Literal["standard", "window", "none"] = Field(
        default="standard", description="what happens to target values inside the graph"
    )
