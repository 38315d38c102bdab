"""The optimizer, as configured."""

from __future__ import annotations

from typing import Any

import keras

from models.training.clipping import clip_arguments
from models.training.config import FittingConfig
from models.training.schedules import LearningRate

_KINDS: dict[str, Any] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}


def build_optimizer(config: FittingConfig, steps_per_epoch: int) -> Any:
    """The Keras optimizer with schedule, decay and clipping; loss scaling under float16.

    Weight decay is decoupled (Loshchilov and Hutter, 2019) whatever the optimizer, and leaves
    biases alone: decay would pull a forget gate shut. The optimizer expects gradients that are
    already summed over replicas: Keras by itself clips each replica's share before the sum, and
    the sum of clipped shares is not the clipped sum.

    Args:
        config: The training section.
        steps_per_epoch: Batches per epoch, at least 1.

    Returns:
        A `keras.optimizers.Optimizer` made for the current distribution strategy.
    """
    rate = LearningRate(config.learning_rate, config.schedule, steps_per_epoch, config.epochs)
    optimizer = _for_summed_gradients(_KINDS[config.optimizer])(
        learning_rate=rate,
        weight_decay=config.weight_decay or None,
        **clip_arguments(config.clip),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    if config.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def inner(optimizer: Any) -> Any:
    """The optimizer beneath loss scaling, or itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def schedule_of(optimizer: Any) -> LearningRate:
    """The schedule that `build_optimizer` gave `optimizer`."""
    schedule = inner(optimizer)._learning_rate
    if not isinstance(schedule, LearningRate):
        raise TypeError(f"expected an optimizer of build_optimizer, got a rate {schedule!r}")
    return schedule


def _for_summed_gradients(kind: Any) -> Any:
    def _all_reduce_sum_gradients(self: Any, grads_and_vars: Any) -> list[Any]:  # noqa: ARG001
        return list(grads_and_vars)

    return type(kind.__name__, (kind,), {"_all_reduce_sum_gradients": _all_reduce_sum_gradients})
