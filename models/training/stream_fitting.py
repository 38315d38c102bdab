"""`StreamFitting`: truncated backpropagation through time, with the state carried on."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.network.carried import State
from models.network.reader import StreamReader
from models.training.clipping import GradientRecord
from models.training.fitting import Fitting
from models.training.losses import Loss


class Carried:
    """The state between two chunks, in variables; a gradient ends here.

    Args:
        reader: Says what the state is.
        lanes: Streams side by side.
    """

    def __init__(self, reader: StreamReader, lanes: int) -> None:
        self._variables = {
            name: keras.Variable(value, trainable=False, dtype="float32")
            for name, value in reader.init(lanes).items()
        }

    def before(self, fresh: tf.Tensor) -> State:
        """The state as it was kept, or zero for lanes where a stream begins (bool [lanes])."""
        state = {}
        for name, variable in self._variables.items():
            value = tf.stop_gradient(tf.convert_to_tensor(variable))
            begins = tf.reshape(fresh, (-1,) + (1,) * (len(value.shape) - 1))
            state[name] = tf.where(begins, tf.zeros_like(value), value)
        return state

    def keep(self, state: State) -> None:
        """Takes the state after a chunk."""
        for name, variable in self._variables.items():
            variable.assign(tf.stop_gradient(state[name]))


class StreamFitting(Fitting):
    """Trains `network` on chunks of streams, one after the other (Williams and Peng, 1990,
    "An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories").

    The forward pass goes through a whole stream, for each chunk begins with the state in which
    the one before it ended. The backward pass stops at the start of the chunk. So time and memory
    of a step depend on the length of a chunk and not on that of a stream, and the network learns
    from the states that it has when it reads a stream without end.

    Batches are those of `models.training.stream_dataset.chunk_dataset`, in their order.
    """

    def __init__(
        self,
        network: keras.Model,
        loss: Loss,
        record: GradientRecord,
        reader: StreamReader,
        *,
        train: tuple[int, int],
        validation: tuple[int, int],
    ) -> None:
        """Wraps a built network; call it in the scope of the strategy that built the network.

        Args:
            network: What `reader` reads with.
            loss: Over observed label cells.
            record: Of the gradients.
            reader: Of `network`.
            train: Lanes and steps of a train chunk.
            validation: Lanes and steps of a validation chunk.
        """
        super().__init__(network, loss, record)
        self._reader = reader
        self._shapes = {True: train, False: validation}
        self._carried = {
            training: Carried(reader, lanes) for training, (lanes, _) in self._shapes.items()
        }

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The forecasts of a chunk; keeps the state after it for the next one."""
        lanes, steps = self._shapes[bool(training)]
        carried = self._carried[bool(training)]
        outputs, state = self._reader.read(
            inputs["columns"],
            carried.before(inputs["fresh"]),
            streams=lanes,
            steps=steps,
            training=bool(training),
        )
        carried.keep(state)
        return outputs
