"""Losses over the labels that were observed, in standard deviations of each target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import tensorflow as tf

from models.features.scaling import Scaling

LossName = Literal["mse", "mae", "huber"]
Loss = Callable[[Any, Any], tuple[tf.Tensor, tf.Tensor]]
"""From the labels and the outputs of a batch to the summed loss and the number of labels that have
one, both float32 scalars."""


class LabelLoss:
    """Error summed over the observed label cells of all targets, and how many there were.

    The mean over a batch, an epoch or all replicas is the sum of the first divided by the sum of
    the second, so a batch with few observed labels counts for no more than it holds.

    An error `e` is prediction minus label, divided by the target's train standard deviation;
    `mse` sums `e**2`, `mae` sums `|e|`, and `huber` sums `e**2 / 2` up to `|e| = delta` and
    `delta * (|e| - delta / 2)` beyond (Huber, 1964).
    """

    def __init__(
        self, name: LossName, scaling: Scaling, targets: tuple[str, ...], delta: float = 1.0
    ) -> None:
        """Fixes the loss and its units.

        Args:
            name: `mse`, `mae` or `huber`.
            scaling: Train moments; every target must be in it.
            targets: The model's outputs.
            delta: Where Huber turns linear, in standard deviations.

        Raises:
            KeyError: If `scaling` lacks a target.
            ValueError: If `name` is unknown or `delta` is not positive.
        """
        if name not in ("mse", "mae", "huber"):
            raise ValueError(f"unknown loss {name!r}; expected mse, mae or huber")
        if delta <= 0:
            raise ValueError(f"huber delta must be positive, got {delta}")
        self._name = name
        self._delta = delta
        self._targets = targets
        self._scales = [scaling[target].scale for target in targets]

    def __call__(
        self, labels: Mapping[str, Any], outputs: Mapping[str, Any]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the errors of one batch.

        Args:
            labels: By target, float `[batch, horizon]`, natural units, nan where not observed.
            outputs: By target, float of any precision `[batch, horizon]`, natural units.

        Returns:
            The summed error and the number of observed cells, both float32 scalars. Where a label
            is nan neither the sum nor its gradient sees the output.
        """
        # All targets in one pass: a pass for each would be small operations by the dozen.
        label, output = (
            tf.stack([tf.cast(given[target], tf.float32) for target in self._targets])
            for given in (labels, outputs)
        )
        seen = tf.logical_not(tf.math.is_nan(label))
        # nan leaves before any arithmetic: a mask after it would turn into 0 * nan backwards.
        error = output - tf.where(seen, label, tf.zeros_like(label))
        error /= tf.constant(self._scales)[:, None, None]
        error = tf.where(seen, error, tf.zeros_like(error))
        return tf.reduce_sum(self._of(error)), tf.reduce_sum(tf.cast(seen, tf.float32))

    def _of(self, error: tf.Tensor) -> tf.Tensor:
        if self._name == "mse":
            return tf.square(error)
        size = tf.abs(error)
        if self._name == "mae":
            return size
        inside = tf.minimum(size, self._delta)
        return 0.5 * tf.square(inside) + self._delta * (size - inside)
