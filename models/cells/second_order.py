"""The second-order (multiplicative) cell, and the layer that runs it over a sequence."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops
from typing_extensions import override

Tensor = Any
_SECOND_MATRIX = 250_007
"""Added to an initializer's seed: two matrices of one shape must not start equal."""


@keras.saving.register_keras_serializable(package="elman")
class SecondOrderCell(keras.layers.SimpleRNNCell):
    """One step of the multiplicative recurrent network of Sutskever, Martens and Hinton (2011).

    In a second-order network (Giles et al., 1992, "Learning and extracting finite state automata
    with second-order recurrent neural networks") products of a state and an input drive the state,
    so that the input chooses how the state changes: the sum over j and k of
    `W[i, j, k] s_{t-1}[j] x_t[k]`. This cell has the factored form of Sutskever et al.,
    "Generating text with recurrent neural networks", whose cost grows with the square of the
    width and not with its cube, and which keeps the terms of first order. With as many factors as
    units, vectors as rows, and * going element by element:

        f_t = (x_t W_fx + b_f) * (s_{t-1} W_fs)
        s_t = g(x_t W_x + f_t W_sf + b)

    The paper has no b_f. There x is a one-hot character, of which one element is always on, and
    b_f could be part of W_fx. Values on a normal scale are near zero half of the time, and without
    b_f the state would be lost whenever they are. b_f starts at one: where x is zero, the cell is
    then a simple recurrent cell with the recurrent kernel W_fs W_sf.

    W_x and W_fx start Glorot uniform, W_fs and W_sf orthogonal (so is their product), b at zero.

    Args:
        units: Size of the state, and number of factors.
        activation: The function g.
        kernel_initializer: Of W_x and W_fx.
        recurrent_initializer: Of W_fs and W_sf.
        dropout: Share of the inputs dropped in training, the same ones at every step.
        recurrent_dropout: Share of the state dropped in training, likewise.
        kwargs: As those of `keras.layers.SimpleRNNCell`.
    """

    @override
    def build(self, input_shape: Any) -> None:
        super().build(input_shape)  # kernel is W_x, recurrent_kernel is W_fs, bias is b
        self.factor_kernel = self._another(
            self.kernel_initializer, input_shape[-1], "factor_kernel"
        )
        self.factor_bias = self.add_weight(
            shape=(self.units,), name="factor_bias", initializer="ones"
        )
        self.factor_output = self._another(self.recurrent_initializer, self.units, "factor_output")

    def _another(self, initializer: Any, rows: int, name: str) -> Any:
        """A second matrix of an initializer, which with a seed gives the same values each time."""
        config = initializer.get_config()
        if isinstance(config.get("seed"), int):
            config["seed"] += _SECOND_MATRIX
        return self.add_weight(
            shape=(rows, self.units), name=name, initializer=type(initializer).from_config(config)
        )

    @override
    def call(self, sequence: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """The next state, as output and as new state.

        Args:
            sequence: x_t, [batch, features].
            states: s_{t-1}, [batch, units], alone or in a list; the new state comes likewise.
            training: Whether dropout is on.
        """
        in_list = isinstance(states, (list, tuple))
        before = states[0] if in_list else states
        if training:
            dropped = self.get_dropout_mask(sequence)
            sequence = sequence if dropped is None else sequence * dropped
            dropped = self.get_recurrent_dropout_mask(before)
            before = before if dropped is None else before * dropped
        gain = ops.matmul(sequence, self.factor_kernel) + self.factor_bias
        factors = gain * ops.matmul(before, self.recurrent_kernel)
        total = ops.matmul(sequence, self.kernel) + ops.matmul(factors, self.factor_output)
        if self.bias is not None:
            total += self.bias
        state = self.activation(total)
        return state, [state] if in_list else state


@keras.saving.register_keras_serializable(package="elman")
class SecondOrder(keras.layers.RNN):
    """`SecondOrderCell` over a sequence.

    Input [batch, steps, features], output [batch, units], or [batch, steps, units] with
    `return_sequences`.

    Args:
        units: See `SecondOrderCell`, as for all up to `seed`.
        activation: Of the state.
        kernel_initializer: Of W_x and W_fx.
        recurrent_initializer: Of W_fs and W_sf.
        dropout: Share of the inputs dropped in training.
        recurrent_dropout: Share of the state dropped in training.
        seed: Of dropout.
        kwargs: `return_sequences`, `return_state`, `go_backwards`, `stateful`, `unroll`, `name`,
            `dtype` and `trainable`, as those of `keras.layers.RNN`.
    """

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = SecondOrderCell(
            units,
            activation=activation,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="second_order_cell",
        )
        super().__init__(cell, **kwargs)

    @override
    def get_config(self) -> dict[str, Any]:
        rest = {name: value for name, value in super().get_config().items() if name != "cell"}
        cell = self.cell.get_config()
        return {**rest, **{name: cell[name] for name in _OF_THE_CELL}}

    @classmethod
    @override
    def from_config(cls, config: dict[str, Any]) -> SecondOrder:
        return cls(**config)


_OF_THE_CELL = (
    "units",
    "activation",
    "kernel_initializer",
    "recurrent_initializer",
    "dropout",
    "recurrent_dropout",
    "seed",
)
