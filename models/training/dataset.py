"""`window_dataset`: windows sliced on the fly for training and evaluation in TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.training.gather import WindowGather
from models.windows.view import WindowView

PREFETCH = 2
"""Batches waiting."""


def input_options() -> tf.data.Options:
    """Options under which windows come fastest; for datasets built out of `window_dataset`, too.

    A batch is many small operations: sharing each among threads costs more than it gains, so
    whole batches are made in parallel instead. Options inside `flat_map` have no effect; set these
    on the outermost dataset.
    """
    options = tf.data.Options()
    options.threading.max_intra_op_parallelism = 1
    return options


def epoch_order(n: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """A uniformly random permutation of `n` windows that depends on `seed` and `epoch` alone.

    Returns:
        int64 `[n]`.
    """
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(n)


def window_dataset(
    view: WindowView,
    batch_size: int,
    *,
    shuffle: bool = False,
    seed: int = 0,
    epoch: Any = 0,
    drop_remainder: bool = False,
    stacked: bool = False,
) -> tf.data.Dataset:
    """The windows of `view` in batches, gathered from the series as they are asked for.

    The series are held once, as one tensor. A shuffle permutes window starts, all of them, so the
    order is a perfect shuffle at 16 bytes a window. The batches hold what `WindowView.gather`
    holds.

    Args:
        view: Which windows.
        batch_size: Windows in a batch; the last may be smaller.
        shuffle: Whether to permute the windows, by `epoch_order`.
        seed: Seed of the order.
        epoch: Epoch of the order: an integer, an int64 scalar tensor (inside `Dataset.flat_map`
            over epochs), or a `tf.Variable`, read whenever an iteration begins.
        drop_remainder: Leaves out a last batch that is not full.
        stacked: One tensor of inputs, float32 `[batch, lookback, columns]` (targets, then past
            covariates), and one of labels, float32 `[batch, horizon, targets]`, instead of one by
            column: faster, for models of one's own that read no other inputs.

    Returns:
        A dataset of `(inputs, labels)`. Inputs by column as the network takes them: targets and
        past covariates float32 `[batch, lookback]`, future covariates float32
        `[batch, lookback + gap + horizon]`, static covariates `[batch]` float32 or string, and
        int64 `time` `[batch]` where calendar features are used. Labels by target float32
        `[batch, horizon]`, nan where a value was not observed.

    Raises:
        ValueError: If `batch_size` is below 1, or `stacked` is asked for inputs that do not stack.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size has to be at least 1, got {batch_size}")
    origins = np.asarray(view.origins)
    n, fixed = len(origins), batch_size if drop_remainder else None
    count = n // batch_size if drop_remainder else -(-n // batch_size)
    # Out of the graph that a caller may be building: constants there would be copied into it.
    with tf.init_scope():
        gather = WindowGather(view)
        in_order = None if shuffle else tf.constant(origins)

    def permuted(epoch_now: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return origins[epoch_order(n, seed, int(epoch_now))]

    def ordered(_: tf.Tensor) -> tf.Tensor:
        if in_order is not None:
            return in_order
        now = tf.cast(tf.convert_to_tensor(epoch), tf.int64)
        rows = tf.numpy_function(permuted, [now], tf.int64, stateful=True)
        rows.set_shape([n])
        return rows

    def batches(rows: tf.Tensor) -> tf.data.Dataset:
        def batch(i: tf.Tensor) -> Any:
            part = rows[i * batch_size : (i + 1) * batch_size]
            part.set_shape([fixed])
            return gather.stacked(part) if stacked else gather(part)

        numbers = tf.data.Dataset.range(count)
        return numbers.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    dataset = tf.data.Dataset.range(1 if n else 0).map(ordered).flat_map(batches)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(PREFETCH)
    return dataset.with_options(input_options())
