"""Times of steps and parts of calendar cycles, by operators of whole numbers alone.

The same lines work on tensors of TensorFlow, on arrays of NumPy and on values of an ONNX graph, so
that a calendar is defined once, whatever runs it.
"""

from __future__ import annotations

from typing import Any

from models.features.civil import civil_from_days, days_from_civil, weekday
from models.features.step import Step

Tensor = Any
_DAY = 86400


def moved(origin: Tensor, offsets: Tensor, step: Step) -> Tensor:
    """Times of the steps `offsets` away from `origin`; the two broadcast against each other.

    Args:
        origin: int64 Unix seconds of times on the grid of `step`.
        offsets: int64, in steps; negative in the past.
        step: The step of the series.

    Returns:
        int64 Unix seconds. Months and business days keep the time of day.
    """
    k = step.count * offsets
    if step.kind == "seconds":
        return origin + k
    days, second = origin // _DAY, origin % _DAY
    if step.kind == "business_days":
        day_of_week = weekday(days)
        moves = day_of_week - _days_of_weekend(day_of_week) + k  # from Monday, a weekend is Friday
        monday = days - day_of_week
        return (monday + 7 * (moves // 5) + moves % 5) * _DAY + second
    year, month, _ = civil_from_days(days)
    index = year * 12 + month - 1 + k
    if step.day in ("start", "business_start"):
        target = days_from_civil(index // 12, index % 12 + 1, 1)
    else:
        following = index + 1
        target = days_from_civil(following // 12, following % 12 + 1, 1) - 1
    if step.day == "business_start":
        target = target + (7 - weekday(target)) * (weekday(target) // 5)
    if step.day == "business_end":
        target = target - _days_of_weekend(weekday(target))
    return target * _DAY + second


def calendar_parts(time: Tensor) -> dict[str, tuple[Tensor, Tensor, Tensor | int]]:
    """Calendar features of int64 Unix seconds (UTC), each as (value, part, whole).

    Values count as pandas does: minutes, hours and days of the week from 0 (Monday), all others
    from 1; weeks are those of ISO 8601. Of the cycle's `whole` length, `part` has passed, both in
    the same unit: of a day, of this month's days, of this year's days, and so on, so that the end
    of a long and of a short cycle both meet the start of the next.
    """
    days, second = time // _DAY, time % _DAY
    year, month, day = civil_from_days(days)
    new_year = days_from_civil(year, 1 + 0 * month, 1)
    following = year * 12 + month
    month_days = days_from_civil(following // 12, following % 12 + 1, 1) - (days - day + 1)
    # ISO 8601: a week belongs to the year of its Thursday.
    thursday = days - weekday(days) + 3
    week_year, _, _ = civil_from_days(thursday)
    week_new_year = days_from_civil(week_year, 1 + 0 * month, 1)
    week = (thursday - week_new_year) // 7 + 1
    quarter = (month - 1) // 3 + 1
    day_of_year = days - new_year + 1
    minute, hour = second // 60 % 60, second // 3600
    year_days = days_from_civil(year + 1, 1 + 0 * month, 1) - new_year
    week_year_days = days_from_civil(week_year + 1, 1 + 0 * month, 1) - week_new_year
    day_of_week = weekday(days)
    return {
        "minute_of_hour": (minute, minute, 60),
        "hour_of_day": (hour, hour, 24),
        "day_of_week": (day_of_week, day_of_week, 7),
        "day_of_month": (day, day - 1, month_days),
        "day_of_year": (day_of_year, day_of_year - 1, year_days),
        "week_of_year": (week, 7 * (week - 1), week_year_days),
        "month_of_year": (month, month - 1, 12),
        "quarter_of_year": (quarter, quarter - 1, 4),
    }


def _days_of_weekend(day_of_week: Tensor) -> Tensor:
    """Days since Friday, on a weekend; else 0. From and to 0 (Monday) to 6."""
    return (day_of_week // 5) * (day_of_week - 4)
