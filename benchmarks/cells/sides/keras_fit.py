"""Keras as it comes: a model of `keras.layers`, `compile` and `fit`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, padded, read, read_weights, windows
from benchmarks.cells.sides.given import parser, work_of
from benchmarks.cells.sides.product import tensorflow_peak
from benchmarks.cells.work import Work

LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}


def build(work: Work, weights: list[Floats]) -> keras.Model:
    """The network: of a masked work, padding is what `keras.layers.Masking` takes for it."""
    inputs = keras.Input((work.steps, work.features))
    steps = keras.layers.Masking()(inputs) if work.masked else inputs
    layer = LAYERS[work.cell](work.units)
    state = (keras.layers.Bidirectional(layer) if work.masked else layer)(steps)
    model = keras.Model(inputs, keras.layers.Dense(work.outputs)(state))
    model.set_weights(weights)
    return model


class Turns(keras.callbacks.Callback):
    """An epoch for every turn that is asked for."""

    def __init__(self, channel: Channel, steps: int) -> None:
        super().__init__()
        self._channel, self._steps = channel, steps

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Ends a turn, and waits for the next."""
        self._channel.end_turn(self._steps, float(logs["loss"]))
        self._channel.wait_for_turn()


def main() -> None:
    """Answers turns."""
    channel, given = Channel(), parser().parse_args()
    work = work_of(given)
    if given.device == "gpu":
        tf.config.experimental.enable_tensor_float_32_execution(False)
    keras.utils.set_random_seed(7)
    arrays = read(given.folder, SERIES)
    if work.masked:
        inputs, _, labels = padded(work, arrays)
        loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        inputs, labels = windows(work, arrays["series"])
        loss = keras.losses.MeanSquaredError()
    model = build(work, read_weights(given.folder))
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss=loss, jit_compile="auto"
    )

    def check() -> dict[str, Any]:
        with tf.GradientTape() as tape:
            outputs = model(inputs[: work.batch], training=True)
            value = tf.reduce_mean(loss(labels[: work.batch], outputs))
        gradients = tape.gradient(value, model.trainable_variables)
        return {
            "parameters": int(sum(np.prod(v.shape) for v in model.trainable_variables)),
            "loss": float(value),
            "gradient_norm": float(tf.linalg.global_norm(gradients)),
            "gpus": len(tf.config.list_physical_devices("GPU")),
            "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        }

    channel.on("check", check)
    channel.on("peak", tensorflow_peak)
    channel.wait_for_turn()
    model.fit(
        inputs,
        labels,
        batch_size=work.batch,
        epochs=10**6,
        callbacks=[Turns(channel, work.turn)],
        verbose=0,
    )


if __name__ == "__main__":
    main()
