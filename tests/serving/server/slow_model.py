"""A model that takes as long as it is asked to."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


def slow_model(directory: Path) -> Path:
    """Writes a SavedModel that counts to `steps` (int64 [n]) for each row and answers `counted`."""

    class Slow(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="steps")])
        def count(self, steps: tf.Tensor) -> dict[str, tf.Tensor]:
            most = tf.reduce_max(steps)
            done = tf.while_loop(
                lambda i: i < most,
                lambda i: (i + 1,),
                (tf.constant(0, tf.int64),),
                parallel_iterations=1,
            )[0]
            return {"counted": steps + (done - most)}

    module = Slow()
    tf.saved_model.save(module, str(directory), signatures={"serving_default": module.count})
    return directory
