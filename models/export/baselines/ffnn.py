"""The feed-forward network, from one window."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.baselines.ffnn import Ffnn
from models.export.baselines.core import BaselineCore, Tensor, as_float32, constant
from models.roles import OBSERVED
from models.windows.store import SeriesStore


class FfnnCore(BaselineCore):
    """The dense layers between the features of `models.baselines.features.FlatFeatures`.

    Args:
        baseline: Fitted.
        store: The windows it was fitted to.
    """

    def __init__(self, baseline: Ffnn, store: SeriesStore) -> None:
        super().__init__()
        roles, features = store.roles, baseline.features
        past = [name for name in roles.covariates.past if name != OBSERVED]
        # The order of `WindowView.gather`, which the first layer was trained with.
        self._past = (*past, *(name for name in roles.covariates.past if name == OBSERVED))
        self._future = roles.covariates.future
        self._targets, self._horizon = features.targets, store.spec.horizon
        self._mean, self._std = dict(features.mean), dict(features.std)
        self._kernels = [constant(kernel, tf.float32) for kernel, _ in baseline.layers]
        self._biases = [constant(bias, tf.float32) for _, bias in baseline.layers]

    def __call__(self, columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `BaselineCore`."""
        parts = []
        for name in self._targets:
            values, last = columns[name], columns[name][:, -1:]
            parts.append((values[:, :-1] - last) / self._std[name])
            parts.append(self._scaled(name, last))
        parts += [self._scaled(name, columns[name]) for name in self._past]
        parts += [self._scaled(name, columns[name]) for name in self._future]
        value = tf.concat(parts, axis=1)
        for index, (kernel, bias) in enumerate(zip(self._kernels, self._biases, strict=True)):
            value = value @ kernel + bias
            if index < len(self._kernels) - 1:
                value = tf.nn.relu(value)
        ahead = tf.reshape(value, (-1, self._horizon, len(self._targets)))
        result = {}
        for k, name in enumerate(self._targets):
            last = tf.cast(columns[name][:, -1:], tf.float64)
            result[name] = as_float32(tf.cast(ahead[:, :, k], tf.float64) * self._std[name] + last)
        return result

    def _scaled(self, name: str, values: Tensor) -> Tensor:
        if name not in self._mean:
            return values
        return (values - self._mean[name]) / self._std[name]
