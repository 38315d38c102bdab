"""A model that answers when it is told to, and not before."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


def waiting_model(directory: Path) -> Path:
    """Writes a SavedModel that doubles `x` (int64 [n]) once it could open the file `gate`.

    `gate` (string [n]) is for all rows that of the first; an empty one lets pass. Opening a FIFO
    waits until somebody opens it for writing.
    """

    class Waiting(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.int64, name="x"),
                tf.TensorSpec([None], tf.string, name="gate"),
            ]
        )
        def double(self, x: tf.Tensor, gate: tf.Tensor) -> dict[str, tf.Tensor]:
            def wait() -> tf.Tensor:
                # A FIFO cannot be read like a file; but it was opened, which is all that matters.
                read = tf.data.Dataset.from_tensors(gate[0]).map(tf.io.read_file).ignore_errors()
                return read.reduce(tf.constant(0, tf.int64), lambda zero, _: zero)

            passed = tf.cond(gate[0] == "", lambda: tf.constant(0, tf.int64), wait)
            return {"y": 2 * x + passed}

    module = Waiting()
    tf.saved_model.save(module, str(directory), signatures={"serving_default": module.double})
    return directory
