"""`NetworkCore`: a trained sequence network as a core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.export.portable import all_layers, portable_copy
from models.network.wiring import Layers, recurrent
from models.sequences.core import CoreStepper, SequenceCore, State
from models.sequences.layers import Pool
from models.sequences.network import (
    NUMBERS,
    joined_steps,
    logits_of,
    tokens_input,
)
from models.sequences.view import LENGTH

Tensor = Any


class NetworkCore(SequenceCore):
    """The logits of a network, without dropout.

    Args:
        network: As `build_sequence_network` made it. Its weights are shared.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name="network_core")
        self.network = network

    @classmethod
    def portable(cls, network: keras.Model) -> NetworkCore:
        """The core of a copy that runs the same on every machine: what an export needs.

        The copy has weights of its own, float32 throughout, no cuDNN (see `portable_copy`) and no
        dropout: a Keras cell draws its masks in every call, used or not, and a served model
        would change the state of a generator with each request.
        """
        copy = portable_copy(network)
        for layer in all_layers(copy):
            if isinstance(layer, keras.layers.RNN):
                layer.cell.dropout = layer.cell.recurrent_dropout = 0.0
        return cls(copy)

    def __call__(self, numbers: Tensor, tokens: tuple[Tensor, ...], length: Tensor) -> Tensor:
        """See `SequenceCore`."""
        inputs = _inputs(self.network, numbers, tokens)
        return self.network({**inputs, LENGTH: tf.convert_to_tensor(length)}, training=False)

    def ordered_variables(self) -> list[tf.Variable]:
        """See `SequenceCore`: the weights, as `keras.Model.weights` has them."""
        return [weight.value for weight in self.network.weights]

    def stepper(self) -> CoreStepper | str:
        """The network read step by step; a bidirectional one cannot be."""
        layers: Layers = {layer.name: layer for layer in self.network.layers}
        if isinstance(layers[recurrent(0)], keras.layers.Bidirectional):
            return (
                "model.bidirectional is true, and the backward direction starts at the last step: "
                "every new step would change everything read before. Streaming needs "
                "bidirectional: false"
            )
        return NetworkStepper(self.network)


class NetworkStepper:
    """A unidirectional sequence network, one step at a time, through the same layers.

    Attributes:
        state: By state tensor, its shape without the batch axis. `state_<i>_h` is the output of
            recurrent layer `i` and `state_<i>_c` the cell of an LSTM, [units]. With a mean or
            maximum over steps, `state_pool` is the sum or maximum of the last layer's states so
            far, with a shortcut `state_pool_inputs` that of its inputs, and `state_steps` [] how
            many steps there were.

    Args:
        network: As `build_sequence_network` made it, without `bidirectional`.
    """

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._layers: Layers = {layer.name: layer for layer in network.layers}
        self._depth = sum(recurrent(i) in self._layers for i in range(len(self._layers)))
        shapes: dict[str, tuple[int, ...]] = {}
        for index in range(self._depth):
            for name, size in zip(self._names(index), self._sizes(index), strict=True):
                shapes[name] = (int(size),)
        for name, shape in self._pools().items():
            shapes[f"state_{name}"] = shape
        if self._pools():
            shapes["state_steps"] = ()
        self.state: Mapping[str, tuple[int, ...]] = shapes

    def init(self, rows: Tensor) -> State:
        """See `CoreStepper`."""
        return {
            name: tf.zeros(tf.stack([rows, *shape]), tf.float32)
            for name, shape in self.state.items()
        }

    def step(
        self, numbers: Tensor, tokens: tuple[Tensor, ...], state: State
    ) -> tuple[Tensor, State]:
        """See `CoreStepper`."""
        one = tuple(ids[:, None] for ids in tokens)
        inputs = _inputs(self._network, numbers[:, None], one)
        read = joined_steps(self._layers, inputs)[:, 0]
        new: State = {}
        output = read
        for index in range(self._depth):
            names = self._names(index)
            cell = self._layers[recurrent(index)].cell
            output, after = cell(output, [state[name] for name in names], training=False)
            new.update(zip(names, after, strict=True))
        pools = self._pools()
        if pools:
            new["state_steps"] = state["state_steps"] + 1.0
        if "pool" in pools:
            output, new["state_pool"] = self._pooled("pool", output, state)
        if "pool_inputs" in pools:
            read, new["state_pool_inputs"] = self._pooled("pool_inputs", read, state)
        shortcut = read if "elman_shortcut" in self._layers else None
        return logits_of(self._layers, output, shortcut), new

    def _pooled(self, name: str, value: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """The pooled value of the steps so far, and what to carry."""
        before, steps = state[f"state_{name}"], state["state_steps"][:, None]
        if self._layers[f"elman_{name}"].kind == "mean":
            total = before + value
            return total / (steps + 1.0), total
        largest = tf.where(steps > 0, tf.maximum(before, value), value)
        return largest, largest

    def _pools(self) -> dict[str, tuple[int, ...]]:
        """By pool that remembers, the shape of what it remembers."""
        found: dict[str, tuple[int, ...]] = {}
        for name in ("pool", "pool_inputs"):
            layer = self._layers.get(f"elman_{name}")
            if isinstance(layer, Pool) and layer.kind != "last":
                follows = self._layers["elman_logits" if name == "pool" else "elman_shortcut"]
                found[name] = (int(follows.kernel.shape[0]),)
        return found

    def _sizes(self, index: int) -> list[int]:
        size = self._layers[recurrent(index)].cell.state_size
        return list(size) if isinstance(size, list | tuple) else [size]

    def _names(self, index: int) -> list[str]:
        return [f"state_{index}_{part}" for part, _ in zip("hc", self._sizes(index), strict=False)]


def _inputs(network: keras.Model, numbers: Tensor, tokens: tuple[Tensor, ...]) -> dict[str, Tensor]:
    inputs = {tokens_input(i): tf.convert_to_tensor(ids) for i, ids in enumerate(tokens)}
    if NUMBERS in network.input:
        inputs[NUMBERS] = tf.convert_to_tensor(numbers)
    return inputs
