"""Chunks of streams as tensors, for training and validation in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from models.training.dataset import PREFETCH, input_options
from models.training.gather import WindowGather
from models.windows.store import SeriesStore
from models.windows.streams import Chunks, Rows, Streams
from models.windows.view import WindowView


class StreamGather:
    """Turns chunks into inputs and labels.

    A step is gathered as a window of one step is, so it holds what a client has at that step:
    where a hole was filled by linear interpolation, the last observed value.

    Args:
        store: The series.
        streams: All that will be read.
    """

    def __init__(self, store: SeriesStore, streams: Streams) -> None:
        step = replace(store, spec=store.spec.model_copy(update={"lookback": 1, "stride": 1}))
        with tf.init_scope():
            self._gather = WindowGather(WindowView(step, streams.rows))
        self._size = len(store.values)

    def chunks(
        self, length: int, forecasts: Rows
    ) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Any]:
        """A function from one round of `Chunks` to `(inputs, labels)`.

        Args:
            length: Steps of a chunk; shorter ones are filled up with their last step.
            forecasts: The rows whose forecasts count.

        Returns:
            A function of first, count and fresh, each [lanes]. Inputs: `fresh`, bool [lanes], and
            `columns`, as `StreamReader.read` takes them. Labels: by target float32
            [lanes * length, horizon], nan where not observed, or where no forecast counts.
        """
        mask = np.zeros(self._size, np.bool_)
        mask[forecasts] = True
        with tf.init_scope():
            counts = tf.constant(mask)

        def batch(first: tf.Tensor, count: tf.Tensor, fresh: tf.Tensor) -> Any:
            lanes = first.shape[0]
            steps = tf.range(length, dtype=tf.int64)
            last = tf.maximum(count - 1, 0)[:, None]
            rows = tf.reshape(first[:, None] + tf.minimum(steps, last), (lanes * length,))
            live = tf.reshape(steps < count[:, None], (lanes * length,))
            columns, labels = self._gather(rows)
            counted = tf.logical_and(live, tf.gather(counts, rows))[:, None]
            seen = {t: tf.where(counted, x, np.float32(np.nan)) for t, x in labels.items()}
            return {"fresh": fresh, "columns": columns}, seen

        return batch


def chunk_dataset(
    gather: StreamGather,
    rounds: Callable[[int], Chunks],
    passes: range,
    length: int,
    forecasts: Rows,
) -> tf.data.Dataset:
    """Pass after pass over streams, one round of chunks at a time.

    Args:
        gather: Of the series.
        rounds: The chunks of a pass; all passes have as many rounds and lanes.
        passes: The passes to make.
        length: Steps of a chunk.
        forecasts: The rows whose forecasts count.

    Returns:
        A dataset of `(inputs, labels)` as `StreamGather.chunks` makes them.
    """
    like = rounds(passes.start)

    def drawn(number: np.int64) -> Any:
        made = rounds(int(number))
        return made.first, made.count, made.fresh

    def planned(number: tf.Tensor) -> tf.data.Dataset:
        parts = tf.numpy_function(drawn, [number], [tf.int64, tf.int64, tf.bool], stateful=True)
        for part in parts:
            part.set_shape((len(like), like.lanes))
        return tf.data.Dataset.from_tensor_slices(tuple(parts))

    dataset = tf.data.Dataset.range(passes.start, passes.stop).flat_map(planned)
    dataset = dataset.map(
        gather.chunks(length, forecasts), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    count = len(like) * len(passes)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(PREFETCH)
    return dataset.with_options(input_options())
