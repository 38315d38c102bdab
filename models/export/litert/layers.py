"""Layers of a forecaster in the words of LiteRT, where it has no operation for Keras' own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from models.export.litert.whole_numbers import WholeNumbers
from models.features.calendar import Calendar
from models.features.cycles import calendar_parts, moved
from models.features.vocabulary import VocabularyEmbedding

Tensor = Any


def replacements(layers: Mapping[str, Any]) -> dict[str, Callable[[Tensor], Tensor]]:
    """By name, what takes the place of those of `layers` that LiteRT cannot run."""
    made: dict[str, Callable[[Tensor], Tensor]] = {}
    for name, layer in layers.items():
        if isinstance(layer, Calendar):
            made[name] = _calendar(layer)
        elif isinstance(layer, VocabularyEmbedding):
            made[name] = _words(layer)
    return made


def _calendar(layer: Calendar) -> Callable[[Tensor], Tensor]:
    """`Calendar` without a division of int64."""
    offsets = np.arange(1 - layer.past, layer.future + 1, dtype=np.int64)[None, :]

    def share(part: WholeNumbers, whole: WholeNumbers | int) -> Tensor:
        length = float(whole) if isinstance(whole, int) else tf.cast(whole.tensor, tf.float32)
        return tf.cast(part.tensor, tf.float32) / length

    def call(time: Tensor) -> Tensor:
        origin, away = WholeNumbers(time[:, None]), WholeNumbers(tf.constant(offsets))
        parts = calendar_parts(moved(origin, away, layer.step))
        shares = [share(*parts[name][1:]) for name in layer.features]
        angles = [2 * math.pi * each for each in shares]
        return tf.stack([f(a) for a in angles for f in (tf.sin, tf.cos)], axis=-1)

    return call


def _words(layer: VocabularyEmbedding) -> Callable[[Tensor], Tensor]:
    """`VocabularyEmbedding` by comparison with every word, where LiteRT's tables need more."""
    table = layer.embedding.get_weights()[0][1:]  # row 0 is that of unknown words: zeros

    def call(words: Tensor) -> Tensor:
        same = tf.equal(tf.reshape(words, (-1, 1)), tf.constant([list(layer.vocabulary)]))
        return tf.matmul(tf.cast(same, tf.float32), tf.constant(table))

    return call
