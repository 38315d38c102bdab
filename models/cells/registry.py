"""Recurrent layers by name, and what keeps cuDNN from running them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from models.errors import BadInputError

if TYPE_CHECKING:
    import keras

    from models.network.config import RecurrentConfig

CELLS = ("simple_rnn", "lstm", "gru", "second_order")
_BACKWARD = 500_009
"""Added to the seed of a backward layer: the two directions must not start from equal weights."""


def recurrent_layer(
    cell: str,
    units: int,
    *,
    activation: str = "tanh",
    return_sequences: bool,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    seed: int,
    name: str,
    bidirectional: bool = False,
) -> keras.Layer:
    """One recurrent layer, [batch, steps, features] to [batch, steps, units] or [batch, units].

    Cells: `simple_rnn` is the network of Elman (1990, "Finding structure in time"); `lstm` that of
    Hochreiter and Schmidhuber (1997, "Long short-term memory") with the forget gate of Gers et al.
    (2000, "Learning to forget"); `gru` that of Cho et al. (2014, "Learning phrase representations
    using RNN encoder-decoder"), which here applies its reset gate after the matrix product, as
    cuDNN does; `second_order` is multiplicative, see `models.cells.second_order`.

    Input kernels are Glorot uniform (Glorot and Bengio, 2010), recurrent kernels orthogonal (Saxe
    et al., 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks": they neither shrink nor stretch a state), and biases zero, but for the forget gate's
    bias of an LSTM, which starts at one, so that the cell keeps most of what it holds (Jozefowicz
    et al., 2015, "An empirical exploration of recurrent network architectures"). A bidirectional
    layer (Schuster and Paliwal, 1997) concatenates the two directions: `2 * units` features.

    SimpleRNN, LSTM and GRU are those of Keras, but for their loop over the steps: see
    `models.cells.layers`.

    Args:
        cell: One of `CELLS`.
        units: Size of the state of one direction.
        activation: Of the new state; of an LSTM's or GRU's candidate, and of the output of an
            LSTM, whose gates stay sigmoid. tanh, sigmoid or relu (for which see Le et al., 2015,
            "A simple way to initialize recurrent networks of rectified linear units").
        return_sequences: Whether every step is returned, not only the last.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training (Gal and Ghahramani, 2016).
        seed: Of the initial weights and of dropout; equal seeds give equal layers.
        name: Of the layer.
        bidirectional: Whether a second layer reads the steps backwards.

    Raises:
        BadInputError: If `cell` is unknown.
    """
    import keras

    from models.cells.layers import GRU, LSTM, SimpleRNN
    from models.cells.second_order import SecondOrder

    classes: dict[str, Callable[..., keras.Layer]] = {
        "simple_rnn": SimpleRNN,
        "lstm": LSTM,
        "gru": GRU,
        "second_order": SecondOrder,
    }
    if cell not in classes:
        raise BadInputError(f"model.cell: unknown cell {cell!r}; expected one of {list(CELLS)}")

    def layer(first_seed: int, layer_name: str, **extra: Any) -> keras.Layer:
        return classes[cell](
            units,
            activation=activation,
            return_sequences=return_sequences,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            kernel_initializer=keras.initializers.GlorotUniform(seed=first_seed),
            recurrent_initializer=keras.initializers.Orthogonal(seed=first_seed + 1),
            seed=first_seed + 2,
            name=layer_name,
            **extra,
        )

    if not bidirectional:
        return layer(seed, name)
    return keras.layers.Bidirectional(
        layer(seed, f"{name}_forward"),
        backward_layer=layer(seed + _BACKWARD, f"{name}_backward", go_backwards=True),
        name=name,
    )


def fusable(model: RecurrentConfig) -> bool:
    """Whether kernels of `models.cells.fused` compute the layers of `model` on a CPU."""
    return model.cell != "second_order" and model.recurrent_dropout == 0


def cudnn_obstacles(model: RecurrentConfig) -> list[str]:
    """Why cuDNN cannot run the layers of `model`: empty if it can (and a GPU is there).

    The conditions are Keras's: an LSTM or GRU with tanh, sigmoid gates, a bias, and no recurrent
    dropout. Other networks are right but several times slower on a GPU.
    """
    obstacles = []
    if model.cell in ("simple_rnn", "second_order"):
        obstacles.append(f"model.cell {model.cell} has no cuDNN kernel in Keras; use lstm or gru")
    if model.activation != "tanh":
        obstacles.append(f"model.activation is {model.activation}; cuDNN knows only tanh")
    if model.recurrent_dropout > 0:
        obstacles.append(
            f"model.recurrent_dropout is {model.recurrent_dropout:g}; cuDNN needs 0 "
            "(dropout may stay)"
        )
    return obstacles
