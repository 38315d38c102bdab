"""SQL that reads time stamps: formats, offsets, time zones, and clock changes."""

from __future__ import annotations

from components.ingest import rejects, zones
from components.ingest.config import DataConfig
from components.ingest.sql import text
from models.errors import BadInputError
from models.frequency import Frequency

EPOCH_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": -1_000}
"""Values of `data.time_format` for numbers since 1970, with microseconds per unit (or back)."""

_SECONDS = "(_us // 1000000)"
_WITH_OFFSET = r":\d{2}(:\d{2}(\.\d+)?)?\s*([+-]\d{2}(:?\d{2}){0,2}|[A-Za-z].*)$"
_FIRST, _LAST = -8_520_336_000, 7_258_118_400


def time_layers(
    column: str, c: str, type_: str, relation: str, data: DataConfig, frequency: Frequency
) -> str:
    """SELECT of everything in `relation` and `_us`, the stamp parsed once (and `_shift`, the
    offset of a naive stamp's zone or a marker of `zones`, where the zone matters).

    Args:
        column: Name of the time column, for messages.
        c: SQL of the time column.
        type_: Its DuckDB type.
        relation: SQL of the raw rows.
        data: How to read times.
        frequency: Decides whether times are instants or dates.

    Raises:
        BadInputError: If the type can hold no time, or the zone is unknown.
    """
    layers = f"SELECT *, {_parsed(column, c, type_, data)} AS _us FROM {relation}"
    if data.timezone != "UTC" and not frequency.is_date:
        local = zones.offset_sql(_SECONDS, data.timezone)
        own = _has_offset(c, type_, data)
        layers = f"SELECT *, CASE WHEN {own} THEN 0 ELSE {local} END AS _shift FROM ({layers})"
    return layers


def time_cell(
    c: str, type_: str, data: DataConfig, frequency: Frequency, nulls: str
) -> tuple[str, str, str]:
    """SQL of the Unix second, of whether it is good, and of why it is not.

    Args:
        c: SQL of the time column.
        type_: Its DuckDB type.
        data: How to read times.
        frequency: Decides whether times are instants or dates.
        nulls: SQL list of the texts that mean a missing value.
    """
    near = f"{_SECONDS} BETWEEN {_FIRST} AND {_LAST}"
    absent = f"{c} IS NULL" + (f" OR trim({c}) IN ({nulls})" if type_ == "VARCHAR" else "")
    good = [f"_us % 1000000 = 0 AND {near}"]
    reasons = [
        (absent, rejects.NO_TIME),
        ("_us IS NULL", rejects.BAD_TIME),
        ("_us % 1000000 <> 0", rejects.SUBSECOND),
        (f"NOT {near}", rejects.FAR_TIME),
    ]
    value = _SECONDS
    if data.timezone != "UTC" and frequency.is_date:
        zones.zone(data.timezone)
        wall = f"make_timestamptz(_us) AT TIME ZONE {text(data.timezone)}"
        own = _has_offset(c, type_, data)
        value = f"CASE WHEN {own} THEN epoch_us({wall}) // 1000000 ELSE {_SECONDS} END"
    elif data.timezone != "UTC":
        value = f"({_SECONDS} - _shift)"
        good.append(f"_shift < {zones.AMBIGUOUS}")
        reasons += [
            (f"_shift = {zones.AMBIGUOUS}", rejects.AMBIGUOUS_TIME),
            (f"_shift = {zones.NONEXISTENT}", rejects.NONEXISTENT_TIME),
        ]
    whens = " ".join(f"WHEN {test} THEN {text(reason)}" for test, reason in reasons)
    return value, f"coalesce({' AND '.join(good)}, false)", f"CASE {whens} END"


def _parsed(column: str, c: str, type_: str, data: DataConfig) -> str:
    """Microseconds since 1970; a stamp without an offset is taken as if it were UTC."""
    format_ = data.time_format
    if format_ in EPOCH_UNITS:
        if type_.startswith(("TIMESTAMP", "DATE")):
            raise BadInputError(
                f"time column {column!r} has the type {type_}, but data.time_format {format_!r} "
                "is for numbers; remove data.time_format"
            )
        unit = EPOCH_UNITS[format_]
        number = f"try_cast({c} AS BIGINT)::HUGEINT"
        # What is finer than a microsecond must not round to a whole second unseen.
        micros = (
            f"{number} * {unit}"
            if unit > 0
            else f"{number} // {-unit} + CASE WHEN {number} % {-unit} <> 0 THEN 1 ELSE 0 END"
        )
        whole = f"try_cast({c} AS DOUBLE) = try_cast({c} AS BIGINT)"
        return f"CASE WHEN {whole} THEN try_cast({micros} AS BIGINT) END"
    if type_ == "VARCHAR":
        if format_ is not None:
            return _micros(f"try_strptime({c}, {text(format_)})")
        # The second try is for offsets without a colon or after a space, which the cast refuses.
        again = rf"regexp_replace(trim({c}), '\s*([+-]\d\d):?(\d\d)$', '\1:\2')"
        return _micros(
            f"coalesce(try_cast({c} AS TIMESTAMPTZ), CASE WHEN contains({c}, ':') "
            f"THEN try_cast({again} AS TIMESTAMPTZ) END)"
        )
    if type_ in ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"):
        return _micros(f"{c}::TIMESTAMP")
    if type_ == "TIMESTAMP":
        return _micros(c)
    if _is_aware(type_):
        return _micros(f"{c}::TIMESTAMPTZ")
    hint = "; set data.time_format to s, ms, us or ns" if "INT" in type_ else ""
    raise BadInputError(f"time column {column!r} has the type {type_}, no time{hint}")


def _micros(stamp: str) -> str:
    return f"CASE WHEN isfinite({stamp}) THEN epoch_us({stamp}) END"


def _has_offset(c: str, type_: str, data: DataConfig) -> str:
    format_ = data.time_format
    if format_ in EPOCH_UNITS or _is_aware(type_):
        return "true"
    if type_ != "VARCHAR":
        return "false"
    if format_ is not None:
        return "true" if "%z" in format_ or "%Z" in format_ else "false"
    return f"regexp_matches({c}, {text(_WITH_OFFSET)})"


def _is_aware(type_: str) -> bool:
    # DuckDB 2 has one with nanoseconds, which pandas writes.
    return type_ in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
