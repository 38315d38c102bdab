"""`FlowProbe`: measures gradient flow on a copy of a network, which the training never sees."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf

from models.export.portable import all_layers, portable_copy
from models.training.gradient_flow.flow import BACKWARD, GradientFlow
from models.training.gradient_flow.states import StateProbe
from models.training.losses import Loss

Tensor = Any


class FlowProbe:
    """The norm of the loss gradient by each step's state, on a batch that stays the same.

    E is the mean loss over the observed labels of the batch, without dropout and before clipping.
    The norm at lag k of a layer is the square root of the sum of (dE / ds)^2 over the units of the
    state s that the layer comes to k steps before its last one, and over the windows of the batch.

    Everything happens in a copy in float32: dropout draws of the network itself, and so what it
    learns, are as without a probe. The copy costs the memory of the weights once more.

    Args:
        network: A functional model, trained elsewhere.
        inputs: By input column, as the network takes them.
        labels: As `loss` takes them.
        loss: Of the training.
        backward: Whether directions that read the last step first are measured, too.
    """

    def __init__(
        self,
        network: keras.Model,
        inputs: Mapping[str, Any],
        labels: Any,
        loss: Loss,
        *,
        backward: bool = True,
    ) -> None:
        self._network = network
        self._inputs = {name: tf.constant(value) for name, value in inputs.items()}
        self._labels = tf.nest.map_structure(tf.constant, labels)
        self._backward = backward
        self._loss = loss

    def measure(self, epoch: int) -> GradientFlow:
        """The flow with the weights that the network has now.

        Args:
            epoch: Finished epochs, to be kept with the numbers.
        """
        copy, names, traced = self._graph
        copy.set_weights(self._network.get_weights())
        norms = [norm.numpy().tolist() for norm in traced(self._inputs, self._labels)]
        found = dict(zip(names, norms, strict=True))
        if not self._backward:
            found = {name: n for name, n in found.items() if not name.endswith(f" {BACKWARD}")}
        return GradientFlow(epoch, found)

    @cached_property
    def _graph(self) -> tuple[keras.Model, list[str], Any]:
        """The copy, names of directions, and a function from inputs and labels to their norms."""
        before = keras.config.dtype_policy()
        # Under a mixed policy a model casts what it is called with.
        keras.config.set_dtype_policy("float32")
        try:
            with warnings.catch_warnings():
                # See build_forecaster: an input layer may not be able to bear its column's name.
                warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
                copy = portable_copy(self._network)
                probed, probes = _probed(copy)
        finally:
            keras.config.set_dtype_policy(before)

        def norms(inputs: Any, labels: Any) -> list[Tensor]:
            with tf.GradientTape() as tape:
                for probe in probes:
                    probe.tape = tape
                total, cells = self._loss(labels, probed(inputs, training=False))
                loss = total / tf.maximum(cells, 1.0)
            moves = [move for probe in probes for move in probe.taken()]
            gradients = tape.gradient(loss, [move.added for move in moves])
            return [move.by_lag(g) for move, g in zip(moves, gradients, strict=True)]

        names = [name for probe in probes for name in probe.names]
        return copy, names, tf.function(norms, autograph=False)


def has_states(network: keras.Model) -> bool:
    """Whether there is a recurrent layer in `network`."""
    return any(isinstance(layer, keras.layers.RNN) for layer in all_layers(network))


def _probed(copy: keras.Model) -> tuple[keras.Model, list[StateProbe]]:
    """`copy` with its recurrent layers replaced, weights shared; and what replaced them."""
    probes: list[StateProbe] = []

    def replaced(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            return layer
        probes.append(StateProbe(layer, name=layer.name))
        return probes[-1]

    for layer in all_layers(copy):
        if isinstance(layer, keras.layers.RNN):
            # A cell draws masks in every call, used or not.
            layer.cell.dropout = layer.cell.recurrent_dropout = 0.0
    return keras.models.clone_model(copy, clone_function=replaced), probes
