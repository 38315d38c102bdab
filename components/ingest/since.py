"""The time from which a growing table is read, in the words of its database.

A bound may let through more than is asked for, never less: what it lets through is read and then
taken by its time. It starts a day early, so that zones, offsets and dates without a time of day
cannot lose a row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from components.ingest.config import SINCE, DataConfig

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

MARGIN = 86_400
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FIRST = -8_520_336_000
"""The year 1700: no usable row is older."""


def since_query(query: str, data: DataConfig, since: int | None) -> str:
    """`query` with `{since}` replaced by a literal: `'2024-01-31 00:00:00'`, or a number.

    Args:
        query: The configured SELECT.
        data: How times are written.
        since: Unix second; None asks for all rows.
    """
    moment = _moment(since)
    if data.time_format in _UNITS:
        return query.replace(SINCE, str(moment * _UNITS[data.time_format]))
    return query.replace(SINCE, f"'{_wall(moment, data):%Y-%m-%d %H:%M:%S}'")


def since_condition(column: str, kind: Any, data: DataConfig, since: int) -> Any:
    """A condition on a table's time column, or None where its type cannot be compared.

    Args:
        column: The time column.
        kind: Its SQLAlchemy type, as the database gives it.
        data: How times are written.
        since: Unix second.
    """
    import sqlalchemy as sa

    moment = _moment(since)
    wall = _wall(moment, data)
    of: ColumnElement[Any] = sa.column(column)
    if data.time_format in _UNITS:
        if isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
            return of >= moment * _UNITS[data.time_format]
        return None
    if isinstance(kind, sa.DateTime):
        aware = bool(getattr(kind, "timezone", False))
        value = datetime.fromtimestamp(moment, UTC) if aware else wall
        return of >= sa.bindparam(None, value, type_=kind)
    if isinstance(kind, sa.Date):
        return of >= sa.bindparam(None, wall.date(), type_=kind)
    if isinstance(kind, sa.String) and data.time_format is None:
        # ISO 8601 sorts as text.
        return of >= f"{wall:%Y-%m-%d}"
    return None


def _moment(since: int | None) -> int:
    return _FIRST if since is None else max(since - MARGIN, _FIRST)


def _wall(moment: int, data: DataConfig) -> datetime:
    return datetime.fromtimestamp(moment, ZoneInfo(data.timezone)).replace(tzinfo=None)
