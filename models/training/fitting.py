"""`Fitting`: the network inside Keras' `fit`, with exact means and gradient measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from models.training.clipping import GradientRecord
from models.training.losses import Loss


class Fitting(keras.Model):
    """Trains `network` through `compile` and `fit`; the network itself stays a plain model.

    Set `steps_per_epoch` and `validation_steps` before `fit` where `steps_per_execution` is more
    than one.

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
        self.steps_per_epoch: int | None = None
        self.validation_steps: int | None = None
        self.train_function: Any = None
        self.test_function: Any = None
        self._validation: Any = None
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

    def make_train_function(self, force: bool = False) -> Any:
        """See Keras. Several steps at once end where the epoch ends.

        Keras' own function would go on into the next epoch when the number of steps is no multiple
        of `steps_per_execution`: all epochs here are read from one dataset.
        """
        if self.steps_per_execution == 1 or self.steps_per_epoch is None or self.run_eagerly:
            return super().make_train_function(force)
        if self.train_function is None or force:
            self.train_function = self._several(self.train_step, self.steps_per_epoch)
        return self.train_function

    def evaluate(self, x: Any = None, **others: Any) -> Any:
        """See Keras, whose `fit` calls this after each epoch with the same dataset.

        Keras makes two iterators for every validation, which on short epochs is a tenth of the
        time; with several steps at once there is one here, for all validations.
        """
        if self.steps_per_execution == 1 or self.validation_steps is None or self.run_eagerly:
            return super().evaluate(x, **others)
        if self._validation is None:
            distributed = self.distribute_strategy.experimental_distribute_dataset(x.repeat())
            self._validation = iter(distributed)
            self.test_function = self._several(self.test_step, self.validation_steps)
        self.reset_metrics()
        found: dict[str, Any] = {}
        for _ in range(math.ceil(self.validation_steps / self.steps_per_execution)):
            found = self.test_function(self._validation)
        return {name: float(value) for name, value in found.items()}

    def _several(self, step: Callable[[Any], Any], pass_: int) -> Callable[[Any], dict[str, Any]]:
        """`steps_per_execution` steps at once; fewer at the end of each `pass_` steps."""

        @tf.function(reduce_retracing=True)
        def steps(iterator: Any, count: tf.Tensor) -> dict[str, Any]:
            for _ in tf.range(count):
                self.distribute_strategy.run(step, args=(next(iterator),))
            return {"loss": self.mean.result()}

        taken = 0

        def function(iterator: Any) -> dict[str, Any]:
            nonlocal taken
            count = min(self.steps_per_execution, pass_ - taken)
            taken = (taken + count) % pass_
            found: dict[str, Any] = steps(iterator, tf.constant(count))
            return found

        return function

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
