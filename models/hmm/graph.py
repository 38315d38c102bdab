"""The recursions of `models.hmm.recursions` in TensorFlow: batches, masks, several models at once.

All is float64: the logarithms of a long sequence are thousands, what tells models apart is not.
Start, transition and emission probabilities have to be above 0 for every state that can be reached
at all (see `models.hmm.chain.smoothed`), or some step may be impossible and give nan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Tensor = Any


def forward_step(predicted: Tensor, log_emission: Tensor) -> tuple[Tensor, Tensor]:
    """One step of the forward recursion.

    Args:
        predicted: float64 `[batch, models, states]`: distribution before the step is seen.
        log_emission: float64 `[batch, models, states]`.

    Returns:
        float64 `[batch, models, states]`, the distribution after it, and `[batch, models]`, the
        log density of the step given those before it.
    """
    peak = tf.reduce_max(log_emission, axis=-1, keepdims=True)
    joint = predicted * tf.exp(log_emission - peak)
    total = tf.reduce_sum(joint, axis=-1, keepdims=True)
    return joint / total, (tf.math.log(total) + peak)[..., 0]


def predict(state: Tensor, transition: Tensor) -> Tensor:
    """The distribution one step on: float64 `[batch, models, states]`."""
    return tf.einsum("bms,mst->bmt", state, transition)


def forward(
    start: Tensor, transition: Tensor, log_emission: Tensor, length: Tensor
) -> tuple[Tensor, Tensor]:
    """The forward recursion of every row.

    Args:
        start: float64 `[models, states]`.
        transition: float64 `[models, states, states]`.
        log_emission: float64 `[batch, time, models, states]`, finite also where padded.
        length: int32 `[batch]`: steps that count.

    Returns:
        float64 `[batch, time, models, states]`: each state given the steps so far (where padded:
        that of the last step that counts), and float64 `[batch, models]`: log likelihoods.
    """
    by_time = tf.transpose(log_emission, [1, 0, 2, 3])
    rows, steps = tf.shape(by_time)[1], tf.shape(by_time)[0]
    first = tf.tile(start[None], [rows, 1, 1])

    def step(t: Tensor, predicted: Tensor, state: Tensor, sums: Tensor, kept: Any) -> Any:
        after, log_density = forward_step(predicted, by_time[t])
        inside = (t < length)[:, None]
        state = tf.where(inside[..., None], after, state)
        sums += tf.where(inside, log_density, tf.zeros_like(log_density))
        return t + 1, predict(state, transition), state, sums, kept.write(t, state)

    kept = tf.TensorArray(tf.float64, steps, element_shape=first.shape)
    sums = tf.zeros(tf.shape(first)[:2], tf.float64)
    *_, sums, kept = tf.while_loop(
        lambda t, *_: t < steps, step, (tf.constant(0), first, first, sums, kept)
    )
    return tf.transpose(kept.stack(), [1, 0, 2, 3]), sums


def likelihood(
    start: Tensor, transition: Tensor, density: Callable[[Tensor], Tensor], length: Tensor
) -> Tensor:
    """Only the log likelihoods of `forward`, in memory that does not grow with time.

    Args:
        start: As `forward`.
        transition: As `forward`.
        density: From a step, int32 scalar, to log densities, float64 `[batch, models, states]`.
        length: As `forward`.

    Returns:
        float64 `[batch, models]`.
    """

    def step(t: Tensor, predicted: Tensor, sums: Tensor) -> Any:
        state, log_density = forward_step(predicted, density(t))
        inside = (t < length)[:, None]
        sums += tf.where(inside, log_density, tf.zeros_like(log_density))
        return t + 1, predict(state, transition), sums

    first = tf.tile(start[None], [tf.size(length), 1, 1])
    sums = tf.zeros(tf.shape(first)[:2], tf.float64)
    steps = tf.reduce_max(length)
    return tf.while_loop(lambda t, *_: t < steps, step, (tf.constant(0), first, sums))[2]


def posterior(start: Tensor, transition: Tensor, log_emission: Tensor, length: Tensor) -> Tensor:
    """Each state given its whole row (forward-backward).

    Args: as `forward`.

    Returns:
        float64 `[batch, time, models, states]`; where padded: as at the last step that counts.
    """
    filtered, _ = forward(start, transition, log_emission, length)
    by_time = tf.transpose(log_emission, [1, 0, 2, 3])
    steps = tf.shape(by_time)[0]

    def step(t: Tensor, later: Tensor, kept: Any) -> Any:
        kept = kept.write(t, later)
        emission = tf.exp(by_time[t] - tf.reduce_max(by_time[t], axis=-1, keepdims=True))
        before = tf.einsum("mst,bmt->bms", transition, emission * later)
        before /= tf.reduce_max(before, axis=-1, keepdims=True)
        return t - 1, tf.where((t < length)[:, None, None], before, later), kept

    last = tf.ones_like(by_time[0])
    kept = tf.TensorArray(tf.float64, steps, element_shape=last.shape)
    _, _, kept = tf.while_loop(lambda t, *_: t >= 0, step, (steps - 1, last, kept))
    joint = filtered * tf.transpose(kept.stack(), [1, 0, 2, 3])
    return joint / tf.reduce_sum(joint, axis=-1, keepdims=True)
