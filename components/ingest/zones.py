"""Local time to UTC as an SQL expression, where clock changes are seen and not guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from models.errors import BadInputError

AMBIGUOUS = 1_000_001
"""Instead of an offset: the local time came twice, because clocks were put back."""
NONEXISTENT = 1_000_002
"""Instead of an offset: the local time never came, because clocks were put forward."""

_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)


def zone(name: str) -> ZoneInfo:
    """The time zone `name` of the IANA database.

    Raises:
        BadInputError: If there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInputError(
            f"data.timezone {name!r}: expected a name of the IANA time zone database such as "
            "UTC, Europe/Berlin or America/New_York"
        ) from None


def transitions(name: str) -> list[tuple[int, int, int]]:
    """Changes of the UTC offset from 1900 to 2100: (Unix second, offset before, offset after)."""
    return list(_transitions(name))


@lru_cache(maxsize=16)
def _transitions(name: str) -> tuple[tuple[int, int, int], ...]:
    place = zone(name)

    def offset(moment: datetime) -> int:
        shift = moment.astimezone(place).utcoffset()
        assert shift is not None
        return int(shift.total_seconds())

    found = []
    day, before = _FIRST, offset(_FIRST)
    while day < _LAST:
        after = offset(day + timedelta(days=1))
        if after != before:
            low, high = 0, 86_400
            while high - low > 1:
                middle = (low + high) // 2
                if offset(day + timedelta(seconds=middle)) == before:
                    low = middle
                else:
                    high = middle
            found.append((int(day.timestamp()) + high, before, after))
            before = after
        day += timedelta(days=1)
    return tuple(found)


def pieces(name: str) -> list[tuple[int | None, int]]:
    """Local time cut where the answer changes: (first local second, offset or a marker).

    The first piece starts at None (minus infinity). A marker is `AMBIGUOUS` or `NONEXISTENT`.
    """
    changes = transitions(name)
    if not changes:
        shift = _FIRST.astimezone(zone(name)).utcoffset()
        assert shift is not None
        return [(None, int(shift.total_seconds()))]
    cut: list[tuple[int | None, int]] = [(None, changes[0][1])]
    for moment, before, after in changes:
        if after > before:
            cut += [(moment + before, NONEXISTENT), (moment + after, after)]
        else:
            cut += [(moment + after, AMBIGUOUS), (moment + before, after)]
    return cut


def offset_sql(local_seconds: str, name: str) -> str:
    """SQL for the UTC offset (or marker) of a local time, a balanced tree of comparisons.

    Args:
        local_seconds: SQL of an integer, the local time as if it were UTC, in Unix seconds.
        name: IANA zone.
    """

    def tree(part: list[tuple[int | None, int]]) -> str:
        if len(part) == 1:
            return str(part[0][1])
        middle = len(part) // 2
        left, right = tree(part[:middle]), tree(part[middle:])
        return f"CASE WHEN {local_seconds} < {part[middle][0]} THEN {left} ELSE {right} END"

    return tree(pieces(name))
