"""Calendar features of every step of a window, computed from the time of its origin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from typing_extensions import override

from models.features.civil import civil_from_days, days_from_civil, weekday
from models.features.step import Step

Tensor = Any
_DAY = 86400


def step_times(origin: Tensor, offsets: Tensor, step: Step) -> Tensor:
    """Times of the steps `offsets` away from `origin`.

    Args:
        origin: int64 [batch], Unix seconds of a time on the grid of `step`.
        offsets: int64 [steps], in steps; negative in the past.
        step: The step of the series.

    Returns:
        int64 [batch, steps], Unix seconds. Months and business days keep the time of day.
    """
    if step.kind == "seconds":
        return origin[:, None] + step.count * offsets[None, :]
    days, second = (origin // _DAY)[:, None], (origin % _DAY)[:, None]
    k = step.count * offsets[None, :]
    if step.kind == "business_days":
        day_of_week = tf.minimum(weekday(days), 4)
        monday = days - weekday(days)
        moved = day_of_week + k
        return (monday + 7 * (moved // 5) + moved % 5) * _DAY + second
    year, month, _ = civil_from_days(days)
    index = year * 12 + month - 1 + k
    one = tf.ones_like(index)
    if step.day in ("start", "business_start"):
        target = days_from_civil(index // 12, index % 12 + 1, one)
    else:
        following = index + 1
        target = days_from_civil(following // 12, following % 12 + 1, one) - 1
    if step.day == "business_start":
        target += tf.maximum(7 - weekday(target), 0) * tf.cast(weekday(target) > 4, tf.int64)
    if step.day == "business_end":
        target -= tf.maximum(weekday(target) - 4, 0)
    return target * _DAY + second


def calendar_values(time: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Calendar features of int64 Unix seconds (UTC), each as (value, phase).

    Values are int64 and count as pandas does: minutes, hours and days of the week from 0 (Monday),
    all others from 1; weeks are those of ISO 8601. A phase is the float32 share of the cycle that
    has passed, in [0, 1): of a day, of this month's days, of this year's days, and so on, so that
    the end of a long and of a short cycle both meet the start of the next.
    """
    days, second = time // _DAY, time % _DAY
    year, month, day = civil_from_days(days)
    one = tf.ones_like(year)
    new_year = days_from_civil(year, one, one)
    following = year * 12 + month
    month_days = days_from_civil(following // 12, following % 12 + 1, one) - (days - day + 1)
    # ISO 8601: a week belongs to the year of its Thursday.
    thursday = days - weekday(days) + 3
    week_year, _, _ = civil_from_days(thursday)
    week_new_year = days_from_civil(week_year, one, one)
    week = (thursday - week_new_year) // 7 + 1
    quarter = (month - 1) // 3 + 1
    day_of_year = days - new_year + 1

    def share(part: Tensor, whole: Tensor | int) -> Tensor:
        return tf.cast(part, tf.float32) / tf.cast(whole, tf.float32)

    minute, hour = second // 60 % 60, second // 3600
    year_days = days_from_civil(year + 1, one, one) - new_year
    week_year_days = days_from_civil(week_year + 1, one, one) - week_new_year
    return {
        "minute_of_hour": (minute, share(minute, 60)),
        "hour_of_day": (hour, share(hour, 24)),
        "day_of_week": (weekday(days), share(weekday(days), 7)),
        "day_of_month": (day, share(day - 1, month_days)),
        "day_of_year": (day_of_year, share(day_of_year - 1, year_days)),
        "week_of_year": (week, share(7 * (week - 1), week_year_days)),
        "month_of_year": (month, share(month - 1, 12)),
        "quarter_of_year": (quarter, share(quarter - 1, 4)),
    }


@keras.saving.register_keras_serializable(package="elman")
class Calendar(keras.Layer):
    """Sine and cosine of the phase of each calendar feature at every step of a window.

    Two coordinates on the circle keep neighbours near across the end of a cycle (Fisher, 1993,
    "Statistical Analysis of Circular Data"); they are the first harmonic of the Fourier terms of
    Harvey and Shephard, 1993, "Structural time series models".

    Input int64 [batch], Unix seconds of the forecast origin; output float32
    [batch, past + future, 2 * features]: the steps `1 - past .. future` around the origin.

    Args:
        features: Names among those of `calendar_values`.
        frequency: Step of the series, a pandas offset alias.
        past: Steps up to the origin, the origin included.
        future: Steps after the origin.

    Raises:
        BadInputError: If the steps of `frequency` cannot be computed.
    """

    def __init__(
        self, features: Sequence[str], frequency: str, past: int, future: int, **kwargs: Any
    ) -> None:
        super().__init__(dtype="float32", **{k: v for k, v in kwargs.items() if k != "dtype"})
        self.features = list(features)
        self.frequency = frequency
        self.past = past
        self.future = future
        self.step = Step.parse(frequency)

    @override
    def call(self, time: Tensor) -> Tensor:
        offsets = tf.range(1 - self.past, self.future + 1, dtype=tf.int64)
        values = calendar_values(step_times(time, offsets, self.step))
        angles = [2 * math.pi * values[name][1] for name in self.features]
        return tf.stack([f(a) for a in angles for f in (tf.sin, tf.cos)], axis=-1)

    @override
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "frequency": self.frequency,
            "past": self.past,
            "future": self.future,
        }
