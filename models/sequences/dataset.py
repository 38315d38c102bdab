"""`sequence_batches`: padded batches of a view for training in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.sequences.buckets import Buckets
from models.sequences.network import NUMBERS, tokens_input
from models.sequences.view import LENGTH, SequenceView
from models.training.dataset import PREFETCH, input_options

Ints = npt.NDArray[np.int64]
Table = tuple[Ints, Ints]


class SequenceGather:
    """Turns positions in a view into padded `(inputs, labels)`, as `SequenceView.batch` does.

    Make it in eager mode: what it holds are eager tensors, which functions capture and do not
    copy into their graphs, whose size is limited to 2 GB.

    Args:
        view: The sequences that will be asked for; all of them are held.
    """

    def __init__(self, view: SequenceView) -> None:
        spec = view.store.spec
        steps = view.steps
        self._length = tf.constant(steps)
        self._start = tf.constant(np.cumsum(steps) - steps)
        self._rows = int(steps.sum())
        self._numbers = tf.constant(view.numbers()) if spec.inputs.numbers else None
        self._tokens = [tf.constant(view.token_ids(column)) for column in spec.inputs.tokens]
        self._labels = tf.constant(view.labels())
        self._whole = spec.task == "classify"

    def __call__(self, positions: tf.Tensor, padded: tf.Tensor) -> tuple[dict[str, Any], Any]:
        """The sequences at `positions` (int64 `[batch]`), padded to `padded` steps (int64).

        Returns:
            Inputs as `build_sequence_network` describes them, and labels int32 `[batch]` or
            `[batch, time]`, -1 where padded or unknown.
        """
        length = tf.gather(self._length, positions)
        step = tf.range(padded)[None, :]
        real = step < length[:, None]
        rows = tf.gather(self._start, positions)[:, None] + step
        rows = tf.minimum(rows, self._rows - 1)  # what lies behind the last row is masked

        def taken(values: tf.Tensor, empty: int) -> tf.Tensor:
            return tf.where(real, tf.gather(values, rows), tf.constant(empty, values.dtype))

        inputs: dict[str, Any] = {LENGTH: tf.cast(length, tf.int32)}
        if self._numbers is not None:
            values = tf.gather(self._numbers, rows)
            inputs[NUMBERS] = tf.where(real[..., None], values, tf.zeros_like(values))
        for index, ids in enumerate(self._tokens):
            inputs[tokens_input(index)] = taken(ids, 0)
        if self._whole:
            return inputs, tf.gather(self._labels, positions)
        return inputs, taken(self._labels, -1)


def sequence_batches(
    gather: SequenceGather, buckets: Buckets, table: Callable[[int], Table], epochs: range
) -> tf.data.Dataset:
    """Batches, epoch after epoch without a break, so that the next epoch's first batches can be
    made while the validation runs.

    Args:
        gather: Of the view whose lengths `buckets` has.
        buckets: Of the view.
        table: From the epoch to its batches, as `Buckets.epoch` returns them.
        epochs: Numbers of epochs, from 0.

    Returns:
        A dataset of `(inputs, labels)`: see `SequenceGather`.
    """
    count, size = buckets.batches, buckets.batch_size

    def tabled(epoch: npt.NDArray[np.int64]) -> Table:
        return table(int(epoch))

    def of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        rows, padded = tf.numpy_function(tabled, [epoch], (tf.int64, tf.int64), stateful=True)
        rows.set_shape([count, size])
        padded.set_shape([count])
        return tf.data.Dataset.from_tensor_slices((rows, padded))

    def batch(row: tf.Tensor, padded: tf.Tensor) -> Any:
        return gather(tf.boolean_mask(row, row >= 0), padded)

    dataset = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(of_epoch)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count * len(epochs)))
    dataset = dataset.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(PREFETCH).with_options(input_options())
