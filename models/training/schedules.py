"""The learning rate at every step."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.training.config import ScheduleConfig


@keras.saving.register_keras_serializable(package="elman")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """Warm-up, then constant, cosine, exponential or plateau.

    Step `k` (from 0) of the `w = warmup * steps_per_epoch` warm-up steps has the rate
    `first * (k + 1) / w`. With `e` epochs gone since and `n` epochs left after the warm-up,

    - cosine is `floor + (1 - floor) * (1 + cos(pi * e / n)) / 2` of `first` (Loshchilov and
      Hutter, 2017, without restarts),
    - exponential is `max(floor, decay ** e)` of `first`, falling with every step,
    - plateau is `max(floor, decay ** drops)` of `first`; whoever watches the validation
      loss calls `set_drops`.
    """

    def __init__(
        self, first: float, schedule: ScheduleConfig, steps_per_epoch: int, epochs: int
    ) -> None:
        """Lays the rate out over `epochs` epochs of `steps_per_epoch` steps."""
        super().__init__()
        self.first = first
        self.schedule = schedule
        self.steps_per_epoch = steps_per_epoch
        self.epochs = epochs
        self._drops = 0
        self._factor = keras.Variable(
            1.0, trainable=False, dtype="float32", aggregation="only_first_replica"
        )

    @property
    def drops(self) -> int:
        """How often a plateau was met."""
        return self._drops

    def set_drops(self, value: int) -> None:
        """Says how often a plateau was met."""
        self._drops = value
        self._factor.assign(max(self.schedule.floor, self.schedule.decay**value))

    def __call__(self, step: Any) -> Any:
        """The rate at `step`, a float32 scalar."""
        step = tf.cast(step, tf.float32)
        warm = self.schedule.warmup * self.steps_per_epoch
        since = tf.maximum(step - warm, 0.0) / self.steps_per_epoch
        rate = self.first * self._decayed(since)
        if warm > 0:
            rate = tf.where(step < warm, self.first * tf.minimum((step + 1.0) / warm, 1.0), rate)
        return rate

    def _decayed(self, since: tf.Tensor) -> tf.Tensor:
        kind, floor = self.schedule.kind, self.schedule.floor
        if kind == "cosine":
            left = self.epochs - self.schedule.warmup
            turn = tf.cos(3.141592653589793 * tf.minimum(since / left, 1.0))
            return floor + (1.0 - floor) * 0.5 * (1.0 + turn)
        if kind == "exponential":
            return tf.maximum(floor, tf.pow(self.schedule.decay, since))
        if kind == "plateau":
            return tf.convert_to_tensor(self._factor)
        return tf.ones_like(since)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs; the drops so far are state, not configuration."""
        return {
            "first": self.first,
            "schedule": self.schedule.model_dump(mode="json"),
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.epochs,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRate:
        """The schedule that `get_config` described."""
        return cls(**{**config, "schedule": ScheduleConfig.model_validate(config["schedule"])})
