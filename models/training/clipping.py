"""Gradient clipping, and what it did: norms before clipping and the share of clipped steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.training.config import ClipConfig


def clip_arguments(clip: ClipConfig | None) -> dict[str, float]:
    """The Keras optimizer arguments that clip as configured; none for None."""
    if clip is None:
        return {}
    named = {
        "global_clipnorm": clip.global_norm,
        "clipnorm": clip.norm,
        "clipvalue": clip.value,
    }
    return {name: value for name, value in named.items() if value is not None}


def global_norm(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Square root of the sum of squares over all gradients, a float32 scalar."""
    squares = [tf.reduce_sum(tf.square(tf.cast(g, tf.float32))) for g in gradients]
    # Not add_n: it begins with whichever input's memory is free to re-use, so its last bit varies.
    return tf.sqrt(tf.reduce_sum(tf.stack(squares)))


def would_clip(gradients: Sequence[tf.Tensor], norm: tf.Tensor, clip: ClipConfig) -> tf.Tensor:
    """Whether clipping changes these gradients, a bool scalar.

    Args:
        gradients: Unscaled, summed over replicas.
        norm: Their global norm.
        clip: The measure and its limit.
    """
    if clip.global_norm is not None:
        return norm > clip.global_norm
    if clip.norm is not None:
        norms = tf.stack([tf.norm(g) for g in gradients])
        return tf.reduce_any(norms > clip.norm)
    largest = tf.stack([tf.reduce_max(tf.abs(g)) for g in gradients])
    return tf.reduce_any(largest > clip.value)


@dataclass(frozen=True)
class GradientSummary:
    """The gradients of one epoch, before clipping.

    Attributes:
        steps: Steps taken, those skipped included.
        skipped: Steps that float16 loss scaling left out because a gradient overflowed.
        norm: Mean global norm over the steps that were not skipped; 0 if there was none.
        norm_max: The largest.
        clipped_share: Share of the steps, skipped ones left out, that clipping changed.
        bad_step: First step (from 1) with a loss, or a gradient that nothing absorbs, that is not
            finite; None if there was none.
        last_loss: The last finite batch loss before that step (or of the epoch); nan if none.
        last_norm: The global norm at the bad step, or of the last step.
    """

    steps: int
    skipped: int
    norm: float
    norm_max: float
    clipped_share: float
    bad_step: int | None
    last_loss: float
    last_norm: float


class GradientRecord:
    """Accumulates inside the train step, in one small variable that is read once per epoch."""

    def __init__(self, clip: ClipConfig | None, skips_overflow: bool) -> None:
        """Makes the variable, in the scope of the current distribution strategy.

        Args:
            clip: The clipping to report on; None: nothing is ever clipped.
            skips_overflow: Whether the optimizer drops steps with an infinite gradient by itself
                (dynamic loss scaling).
        """
        self._clip = clip
        self._skips_overflow = skips_overflow
        self._state = keras.Variable(
            self._empty(), trainable=False, dtype="float64", aggregation="only_first_replica"
        )

    @staticmethod
    def _empty() -> np.ndarray[Any, np.dtype[np.float64]]:
        # steps, skipped, sum of norms, largest norm, clipped, bad step, last loss, last norm
        return np.array([0, 0, 0, 0, 0, 0, math.nan, math.nan], np.float64)

    def update(self, gradients: Sequence[Any], loss: tf.Tensor) -> None:
        """Takes in one step.

        Args:
            gradients: Before clipping, unscaled, summed over replicas; dense tensors.
            loss: The batch loss over all replicas, a scalar.
        """
        steps, skipped, total, largest, clipped, bad, last_loss, last_norm = tf.unstack(
            tf.convert_to_tensor(self._state)
        )
        norm = global_norm(gradients)
        finite_norm, finite_loss = tf.math.is_finite(norm), tf.math.is_finite(loss)
        hit = (
            tf.constant(False)
            if self._clip is None
            else tf.logical_and(finite_norm, would_clip(gradients, norm, self._clip))
        )
        norm64 = tf.cast(norm, tf.float64)
        counted = tf.where(finite_norm, norm64, tf.zeros_like(norm64))
        fine = finite_loss if self._skips_overflow else tf.logical_and(finite_loss, finite_norm)
        healthy = bad < 1
        self._state.assign(
            tf.stack(
                [
                    steps + 1,
                    skipped + tf.cast(tf.logical_not(finite_norm), tf.float64),
                    total + counted,
                    tf.maximum(largest, counted),
                    clipped + tf.cast(hit, tf.float64),
                    tf.where(tf.logical_and(healthy, tf.logical_not(fine)), steps + 1, bad),
                    tf.where(
                        tf.logical_and(healthy, finite_loss), tf.cast(loss, tf.float64), last_loss
                    ),
                    tf.where(healthy, norm64, last_norm),
                ]
            )
        )

    def reset(self) -> None:
        """Forgets the epoch."""
        self._state.assign(self._empty())

    def summary(self) -> GradientSummary:
        """The epoch so far."""
        steps, skipped, total, largest, clipped, bad, last_loss, last_norm = (
            float(x) for x in self._state.numpy()
        )
        taken = max(steps - skipped, 1.0)
        return GradientSummary(
            steps=int(steps),
            skipped=int(skipped),
            norm=total / taken,
            norm_max=largest,
            clipped_share=clipped / taken,
            bad_step=int(bad) or None,
            last_loss=last_loss,
            last_norm=last_norm,
        )
