"""Numbers, times and lists in the words of the report."""

from __future__ import annotations

import math
from datetime import UTC, datetime

NOTHING = "–"


def figure(value: float | None) -> str:
    """Four digits, or a dash where there is no number."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def count(value: int) -> str:
    """With commas at the thousands."""
    return f"{value:,}"


def share(part: float, whole: float) -> str:
    """`part` as a percentage of `whole`."""
    return f"{100 * part / whole:.2g}%" if whole else NOTHING


def size(value: float) -> str:
    """Bytes, in the unit that suits."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def moment(seconds: int) -> str:
    """Unix seconds as a UTC time, without the hour where it is midnight."""
    time = datetime.fromtimestamp(seconds, UTC)
    return time.strftime("%Y-%m-%d" if seconds % 86400 == 0 else "%Y-%m-%d %H:%M:%SZ")


def duration(seconds: float) -> str:
    """`48 s`, `3 min 20 s` or `2 h 5 min`."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
