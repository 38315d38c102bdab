"""Which layers of a network kernels can compute, and how they are told of the machine."""

from __future__ import annotations

from typing import Any

import keras

from models.cells.layers import Fused
from models.export.portable import all_layers
from models.training.config import FittingConfig
from models.training.execution import Execution, execution


def plan_for(network: keras.Model, config: FittingConfig, *, gpu: bool) -> Execution:
    """What `train.execution` comes to for a built network.

    Args:
        network: With layers of `models.cells`.
        config: The training section.
        gpu: Whether it is trained on a GPU.
    """
    layers = all_layers(network)
    recurrent = [layer for layer in layers if isinstance(layer, keras.layers.RNN)]
    return execution(
        config.execution,
        gpu=gpu,
        fusable=bool(recurrent) and all(_fusable(layer) for layer in recurrent),
        directions=2 if any(isinstance(x, keras.layers.Bidirectional) for x in layers) else 1,
    )


def tell_layers(network: keras.Model, plan: Execution) -> None:
    """Sets what belongs to the machine in every layer of `network`; before anything is traced."""
    for layer in all_layers(network):
        if isinstance(layer, Fused):
            layer.fused, layer.shards = plan.fused, plan.shards
            layer.compiled = plan.compiled


def _fusable(layer: Any) -> bool:
    recurrent_dropout = getattr(layer.cell, "recurrent_dropout", 0.0)
    return isinstance(layer, Fused) and bool(recurrent_dropout == 0)
