"""`Fitting`: the network inside Keras' `fit`, with exact means and gradient measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.training.clipping import GradientRecord
from models.training.losses import Loss


class Fitting(keras.Model):
    """Trains `network` through `compile` and `fit`; the network itself stays a plain model.

    What differs from Keras' own train step, and why:

    - the loss of a batch is the mean over its observed label cells on all replicas together, and
      the loss of an epoch the mean over all its cells, so neither depends on how the cells fall
      on batches and replicas;
    - gradients are summed over replicas before the optimizer sees them, so that clipping and
      float16's overflow check act on the whole gradient;
    - that gradient's norm, before clipping, is recorded.
    """

    def __init__(self, network: keras.Model, loss: Loss, record: GradientRecord) -> None:
        """Wraps a built network; call it in the scope of the strategy that built the network."""
        # float32, whatever the policy: Keras casts what a model is called with, and values in
        # natural units do not fit in 16 bits. The layers of the network cast where they may.
        super().__init__(name="fitting", dtype="float32")
        self.network = network
        self.label_loss = loss
        self.record = record
        # float64: an epoch may have 1e9 cells, where float32 no longer sees a batch.
        self.mean = keras.metrics.Mean(name="loss", dtype="float64")
        self.built = True

    @property
    def metrics(self) -> list[Any]:
        """The mean loss only; Keras resets it between epochs and before validation."""
        return [self.mean]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The network's outputs."""
        return self.network(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on a batch of `(inputs, labels)`; returns the mean loss of the epoch so far."""
        inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(inputs, training=True)
            total, cells = self.label_loss(labels, outputs)
            all_cells = tf.maximum(_sum_over_replicas(cells), 1.0)
            # This replica's share: shares add up to the mean over the whole batch.
            share = total / all_cells
            scaled = self.optimizer.scale_loss(share)
        weights = list(self.trainable_weights)
        found = zip(tape.gradient(scaled, weights), weights, strict=True)
        # Dense, for the rows of an embedding's gradient may repeat and a norm would miss that.
        pairs = [(tf.convert_to_tensor(g), w) for g, w in found if g is not None]
        summed = _sum_over_replicas([g for g, _ in pairs])
        scale = self.optimizer.scale_loss(tf.constant(1.0))
        self.record.update([g / scale for g in summed], _sum_over_replicas(total) / all_cells)
        self.optimizer.apply_gradients(zip(summed, (w for _, w in pairs), strict=True))
        return self._count(total, cells)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The loss of a batch of `(inputs, labels)`, without learning."""
        inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self._count(*self.label_loss(labels, self(inputs, training=False)))

    def _count(self, total: tf.Tensor, cells: tf.Tensor) -> dict[str, Any]:
        self.mean.update_state(total / tf.maximum(cells, 1.0), sample_weight=cells)
        return {"loss": self.mean.result()}

    def get_config(self) -> Mapping[str, Any]:
        """Refuses: save `network`, which holds all there is to keep."""
        raise NotImplementedError("a Fitting is not saved; save its network")


def _sum_over_replicas(value: Any) -> Any:
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return value
    context = tf.distribute.get_replica_context()
    if context is None:  # Keras traces once outside any replica, to build the model
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)
