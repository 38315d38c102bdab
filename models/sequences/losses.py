"""Cross-entropy over the labels that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.errors import BadInputError

ClassWeights = Literal["balanced"] | Mapping[str, float] | None


class ClassLoss:
    """Cross-entropy summed over the known labels of a batch, and how many there were.

    The loss of a label of class c is `w_c * -sum_k q_k log p_k`, with p the softmax of the
    logits and q the label smoothed: `1 - s` on c plus `s / classes` on every class (Szegedy et
    al., 2016, "Rethinking the Inception architecture"). The mean over a batch, an epoch or all
    replicas is the sum divided by the number of labels.
    """

    def __init__(
        self, weights: npt.NDArray[np.float32] | None = None, smoothing: float = 0.0
    ) -> None:
        """Fixes the loss.

        Args:
            weights: w, float32 [classes]; None: all 1.
            smoothing: s, from 0 to less than 1.
        """
        self._weights = weights
        self._smoothing = smoothing

    def __call__(self, labels: Any, logits: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the losses of one batch.

        Args:
            labels: int32 `[batch]` or `[batch, time]`, -1 where padded or unknown.
            logits: float32 `[batch, classes]` or `[batch, time, classes]`.

        Returns:
            The summed loss and the number of known labels, both float32 scalars. Where a label is
            -1, neither the sum nor its gradient sees the logits.
        """
        logits = tf.cast(logits, tf.float32)
        known = labels >= 0
        truth = tf.maximum(labels, 0)
        # Unknown ones leave before any arithmetic: see `LabelLoss`.
        logits = tf.where(known[..., None], logits, tf.zeros_like(logits))
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, logits)
        if self._smoothing:
            uniform = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
            loss = (1.0 - self._smoothing) * loss + self._smoothing * uniform
        if self._weights is not None:
            loss *= tf.gather(tf.constant(self._weights), truth)
        seen = tf.cast(known, tf.float32)
        return tf.reduce_sum(loss * seen), tf.reduce_sum(seen)


def weights_of(
    configured: ClassWeights, classes: Sequence[str], labels: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32] | None:
    """The weight of each class.

    `balanced` is that of scikit-learn: labels / (classes * labels of the class), so that every
    class has the same sum and the mean over the labels is 1; classes without a label, such as
    the unknown symbol, are left out of the count and weigh 1.

    Args:
        configured: `train.class_weights`.
        classes: Their names, in the order of the logits.
        labels: int32, those of the train split, -1 where unknown.

    Returns:
        float32 `[classes]`; None where all are 1.

    Raises:
        BadInputError: If a name is no class.
    """
    if configured is None:
        return None
    weights = np.ones(len(classes), np.float32)
    if configured == "balanced":
        counts = np.bincount(labels[labels >= 0], minlength=len(classes))
        there = counts > 0
        weights[there] = counts.sum() / (there.sum() * counts[there])
        return weights
    unknown = sorted(set(configured) - set(classes))
    if unknown:
        shown = list(classes[:20])
        raise BadInputError(
            f"train.class_weights names {unknown}, which the train split does not have; its "
            f"{len(classes)} classes are {shown}{' ...' if len(classes) > 20 else ''}"
        )
    for index, name in enumerate(classes):
        weights[index] = configured.get(name, 1.0)
    return weights
