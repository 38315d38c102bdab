"""SimpleRNN, LSTM and GRU of Keras, computed by the fastest correct way that there is."""

from __future__ import annotations

import logging
from typing import Any

import keras
import tensorflow as tf

from models.cells.compile import Compile
from models.cells.fused.choice import NoKernel, kernel_for
from models.cells.fused.inner_loop import fused_loop

Tensor = Any
log = logging.getLogger(__name__)


def gpu_listed() -> bool:
    """Whether Keras sees a GPU, and so would call cuDNN."""
    return bool(tf.config.list_logical_devices("GPU"))


class Fused:
    """In front of a Keras recurrent layer: everything is the layer's own but the loop over steps.

    Weights, their names and layout, the configuration, masking, states, dropout and initial values
    are those of Keras. On a GPU an LSTM or GRU that cuDNN can run is left to Keras, which calls
    cuDNN (unless `use_cudnn` is False). Otherwise a kernel of `models.cells.fused` reads the
    sequence; where none can, Keras' own loop does, and a line in the log says why.

    The attributes belong to a machine and not to a network: they are no part of the configuration.

    Attributes:
        fused: Whether kernels may be used.
        shards: Parts of a batch that are computed side by side.
        compiled: Which steps XLA may compile: they are faster then, after half a second for each
            shape of a batch. An exported layer should not ask for it: a server need not have XLA.
    """

    fused = True
    shards = 1
    compiled: Compile = "never"

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """See `keras.layers.RNN.inner_loop`."""
        ours: Any = self
        if keras.tree.is_nested(mask):
            mask = mask[0]
        try:
            if not self.fused:
                raise NoKernel("fused is false")
            if getattr(ours, "use_cudnn", False) and gpu_listed():
                raise NoKernel("there is a GPU, and Keras calls cuDNN where its conditions hold")
            if isinstance(sequences, keras.KerasTensor):
                raise NoKernel("only shapes are asked for")
            known = sequences.shape[1] is not None
            compiled = self.compiled == "always" or (self.compiled == "known" and known)
            kernel = kernel_for(ours, sequences, masked=mask is not None, compiled=compiled)
        except NoKernel as reason:
            if not isinstance(sequences, keras.KerasTensor):
                log.info("layer %s: Keras' own loop, for %s", ours.name, reason)
            keras_loop = super().inner_loop  # type: ignore[misc]
            found: Any = keras_loop(sequences, initial_state, mask=mask, training=training)
            return found
        states = initial_state if keras.tree.is_nested(initial_state) else [initial_state]
        return fused_loop(
            ours, kernel, sequences, list(states), mask, training=training, shards=self.shards
        )


@keras.saving.register_keras_serializable(package="elman")
class SimpleRNN(Fused, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` without its loop; see `Fused`."""


@keras.saving.register_keras_serializable(package="elman")
class LSTM(Fused, keras.layers.LSTM):
    """`keras.layers.LSTM` without its loop; see `Fused`."""


@keras.saving.register_keras_serializable(package="elman")
class GRU(Fused, keras.layers.GRU):
    """`keras.layers.GRU` without its loop; see `Fused`."""
