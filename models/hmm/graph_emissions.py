"""Log densities of emissions in TensorFlow, for several models at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.hmm.chain import Chain
from models.hmm.emissions import Categorical, DiagonalGaussian

Tensor = Any


def stacked(chains: Sequence[Chain]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Start `[models, states]` and transition `[models, states, states]`, all padded with
    unreachable states to the largest.
    """
    states = max(chain.states for chain in chains)
    padded = [chain.padded(states) for chain in chains]
    return np.stack([c.start for c in padded]), np.stack([c.transition for c in padded])


class SymbolDensity(tf.Module):
    """Log probabilities of symbols, looked up.

    Args:
        models: One per model; symbol 0 is the unknown one, its id is 1.
    """

    def __init__(self, models: Sequence[Categorical]) -> None:
        super().__init__()
        states = max(len(model.probability) for model in models)
        table = np.stack([np.log(_repeated(m.probability, states)) for m in models])
        # By id: padding, which may be any finite number, then the symbols.
        by_id = np.pad(np.moveaxis(table, -1, 0), ((1, 0), (0, 0), (0, 0)))
        self.table = tf.Variable(by_id, trainable=False, dtype=tf.float32)

    def __call__(self, ids: Tensor) -> Tensor:
        """float64 `[..., models, states]` from ids int32 `[...]`."""
        return tf.cast(tf.gather(self.table, ids), tf.float64)


class VectorDensity(tf.Module):
    """Log densities of diagonal Gaussians.

    Args:
        models: One per model, over the same numbers.
    """

    def __init__(self, models: Sequence[DiagonalGaussian]) -> None:
        super().__init__()
        states = max(len(model.mean) for model in models)
        mean = np.stack([_repeated(m.mean, states) for m in models])
        variance = np.stack([_repeated(m.variance, states) for m in models])
        # (x - m)^2 / v multiplied out is two matrix products instead of a difference for every
        # state; taken from the centre of all means it loses nothing to cancellation.
        centre = mean.mean(axis=(0, 1))
        mean = mean - centre
        constant = np.square(mean) / variance + np.log(2 * np.pi * variance)
        self.shape = mean.shape[:2]
        self.centre = _variable(centre)
        self.linear = _variable((mean / variance).reshape(-1, len(centre)).T)
        self.square = _variable((-0.5 / variance).reshape(-1, len(centre)).T)
        self.constant = _variable(-0.5 * constant.sum(axis=-1))

    def __call__(self, values: Tensor) -> Tensor:
        """float64 `[..., models, states]` from values float32 `[..., numbers]`."""
        apart = tf.cast(values, tf.float64) - self.centre
        joint = tf.tensordot(apart, self.linear, 1)
        joint += tf.tensordot(tf.square(apart), self.square, 1)
        shape = tf.concat([tf.shape(values)[:-1], self.shape], 0)
        return tf.reshape(joint, shape) + self.constant


def _repeated(rows: npt.NDArray[np.float64], states: int) -> npt.NDArray[np.float64]:
    """States that cannot be reached emit what the first one does: they decide nothing."""
    return np.concatenate([rows, np.repeat(rows[:1], states - len(rows), axis=0)])


def _variable(values: npt.NDArray[np.float64]) -> tf.Variable:
    return tf.Variable(values, trainable=False, dtype=tf.float64)
