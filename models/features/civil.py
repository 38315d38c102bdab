"""Civil dates from days since 1970-01-01 and back, exactly, for any int64 day.

The algorithms are `civil_from_days` and `days_from_civil` of Howard Hinnant, "chrono-compatible
low-level date algorithms" (2013): years begin in March, so that the leap day comes last.

Only operators of whole numbers are used (`//` and `%` round down), so that the same lines work on
tensors of TensorFlow, on arrays of NumPy and on values of an ONNX graph.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
_ERA_DAYS = 146097  # 400 years
_EPOCH = 719468  # days from 0000-03-01 to 1970-01-01


def civil_from_days(days: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Year, month (1 to 12) and day of month (from 1), of whole days since 1970-01-01."""
    z = days + _EPOCH
    era = z // _ERA_DAYS
    doe = z - era * _ERA_DAYS
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    shifted = (5 * doy + 2) // 153  # months since March, 0 to 11
    day = doy - (153 * shifted + 2) // 5 + 1
    month = (shifted + 2) % 12 + 1
    return yoe + era * 400 + _is_january_or_february(month), month, day


def days_from_civil(year: Tensor, month: Tensor, day: Tensor) -> Tensor:
    """Days since 1970-01-01 of year, month (1 to 12) and day of month (from 1)."""
    y = year - _is_january_or_february(month)
    era = y // 400
    yoe = y - era * 400
    shifted = (month + 9) % 12
    doy = (153 * shifted + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * _ERA_DAYS + doe - _EPOCH


def weekday(days: Tensor) -> Tensor:
    """Monday 0 to Sunday 6, of whole days since 1970-01-01 (a Thursday)."""
    return (days + 3) % 7


def _is_january_or_february(month: Tensor) -> Tensor:
    """1 for months 1 and 2, 0 for 3 to 12."""
    return (14 - month) // 12
