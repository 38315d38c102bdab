"""Civil dates from days since 1970-01-01 and back, in graph, exactly, for any int64 day.

The algorithms are `civil_from_days` and `days_from_civil` of Howard Hinnant, "chrono-compatible
low-level date algorithms" (2013): years begin in March, so that the leap day comes last.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any
_ERA_DAYS = 146097  # 400 years
_EPOCH = 719468  # days from 0000-03-01 to 1970-01-01


def civil_from_days(days: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Year, month (1 to 12) and day of month (from 1), int64, of int64 days since 1970-01-01."""
    z = days + _EPOCH
    era = z // _ERA_DAYS
    doe = z - era * _ERA_DAYS
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    shifted = (5 * doy + 2) // 153
    day = doy - (153 * shifted + 2) // 5 + 1
    month = tf.where(shifted < 10, shifted + 3, shifted - 9)
    return yoe + era * 400 + tf.cast(month <= 2, tf.int64), month, day


def days_from_civil(year: Tensor, month: Tensor, day: Tensor) -> Tensor:
    """Days since 1970-01-01, int64, of int64 year, month (1 to 12) and day of month (from 1)."""
    y = year - tf.cast(month <= 2, tf.int64)
    era = y // 400
    yoe = y - era * 400
    shifted = tf.where(month > 2, month - 3, month + 9)
    doy = (153 * shifted + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * _ERA_DAYS + doe - _EPOCH


def weekday(days: Tensor) -> Tensor:
    """Monday 0 to Sunday 6, int64, of int64 days since 1970-01-01 (a Thursday)."""
    return (days + 3) % 7
