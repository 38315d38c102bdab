"""SQL that turns raw columns into times, ids and numbers, and says why where it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.ingest import rejects
from components.ingest.config import DataConfig
from components.ingest.sql import text
from components.ingest.times import time_cell, time_layers
from models.errors import BadInputError
from models.frequency import Frequency
from models.roles import Roles

RESERVED = ("time", "series")
"""Columns of the Examples that no variable may be called."""

NUMBERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


@dataclass(frozen=True)
class Wanted:
    """The columns of the source that a task needs, by part."""

    time: str
    series: str | None
    numbers: tuple[str, ...]
    statics: tuple[str, ...]

    @classmethod
    def of(cls, data: DataConfig, roles: Roles) -> Wanted:
        """The columns that `data` and `roles` name.

        Raises:
            BadInputError: If a column would have two parts, or a reserved name.
        """
        numbers, statics = roles.dynamic, roles.covariates.static
        for part, name in (("data.time", data.time), ("data.series", data.series)):
            if name is not None and name in numbers + statics:
                raise BadInputError(
                    f"column {name!r} is {part} and cannot be a target or covariate too"
                )
        for name in RESERVED:
            if name in numbers + statics:
                raise BadInputError(
                    f"no target or covariate can be called {name!r}: rename the column"
                )
        if data.series == data.time:
            raise BadInputError(f"column {data.time!r} is data.time and cannot be data.series too")
        return cls(data.time, data.series, numbers, statics)

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, each once."""
        series = () if self.series is None else (self.series,)
        return (self.time, *series, *self.numbers, *self.statics)

    def alias(self, column: str) -> str:
        """What SQL calls a raw column: its names would be the same in upper and lower case."""
        return f"r{self.all.index(column)}"


@dataclass(frozen=True)
class Cell:
    """SQL of one normalised column, where it is good, and why it is not."""

    column: str
    raw: str
    value: str
    good: str
    reason: str


def normalised(
    relation: str,
    types: Mapping[str, str],
    wanted: Wanted,
    data: DataConfig,
    frequency: Frequency,
    *,
    located: bool = False,
) -> str:
    """SELECT of normalised rows: `t` BIGINT, `series`, `v0`.. FLOAT, `s0`.. VARCHAR, `good`.

    Args:
        relation: SQL of the raw columns, called `wanted.alias(column)`.
        types: DuckDB type by column.
        wanted: The columns to use.
        data: How to read times and missing values.
        frequency: Decides whether times are instants or dates.
        located: Whether to select `record` too (from the relation), and where a row is bad
            `reason`, `place` (the column) and `raw` (the cell); and the raw time as `stamp`.

    Raises:
        BadInputError: If the type of a column can hold no time, or no number.
    """
    nulls = null_words(data.null_values)
    stamp, type_ = wanted.alias(wanted.time), types[wanted.time]
    cells = [Cell(wanted.time, stamp, *time_cell(stamp, type_, data, frequency, nulls))]
    names = ["t"]
    if wanted.series is not None:
        cells.append(_series(wanted.series, wanted.alias(wanted.series), types, nulls))
        names.append("series")
    for i, name in enumerate(wanted.numbers):
        cells.append(number_cell(name, wanted.alias(name), types[name], nulls))
        names.append(f"v{i}")
    outer = [f"{cell.value} AS {name}" for cell, name in zip(cells, names, strict=True)]
    if wanted.series is None:
        outer.insert(1, "'' AS series")
    for i, name in enumerate(wanted.statics):
        outer.append(f"{nulled(as_text(wanted.alias(name), types[name]), nulls)} AS s{i}")
    outer.append(" AND ".join(f"({cell.good})" for cell in cells) + " AS good")
    if located:
        for part, sqls in (
            ("reason", [c.reason for c in cells]),
            ("place", [text(c.column) for c in cells]),
            ("raw", [f"{c.raw}::VARCHAR" for c in cells]),
        ):
            whens = [
                f"WHEN NOT ({cell.good}) THEN {sql}" for cell, sql in zip(cells, sqls, strict=True)
            ]
            outer.append(f"CASE {' '.join(whens)} END AS {part}")
        outer += [f"{stamp}::VARCHAR AS stamp", "record"]
    inner = time_layers(wanted.time, stamp, type_, relation, data, frequency)
    return f"SELECT {', '.join(outer)} FROM ({inner})"


def _series(column: str, alias: str, types: Mapping[str, str], nulls: str) -> Cell:
    c = nulled(as_text(alias, types[column]), nulls)
    return Cell(column, alias, c, f"{c} IS NOT NULL", text(rejects.NO_SERIES))


def number_cell(column: str, c: str, type_: str, nulls: str) -> Cell:
    """A number as float32, null where it is missing.

    Args:
        column: Its name.
        c: What SQL calls it.
        type_: Its DuckDB type.
        nulls: `null_words`.

    Raises:
        BadInputError: If its type holds no numbers.
    """
    absent = f"{c} IS NULL"
    if type_ == "VARCHAR":
        # The cast reads 1_000 as a thousand, which no other reader of CSV does.
        number = (
            f"CASE WHEN contains({c}, '_') THEN NULL ELSE coalesce(try_cast({c} AS DOUBLE), "
            f"CASE lower(trim({c})) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END) END"
        )
        absent = f"{c} IS NULL OR trim({c}) IN ({nulls})"
    elif type_ in NUMBERS or type_.startswith("DECIMAL"):
        number = f"{c}::DOUBLE"
    else:
        raise BadInputError(f"column {column!r} has the type {type_}; expected numbers")
    single = f"try_cast({number} AS FLOAT)"
    # Adding zero turns a negative zero into zero, so that equal data has an equal digest.
    value = f"CASE WHEN isfinite({single}) THEN {single} + 0::FLOAT END"
    good = f"coalesce(isfinite({single}) OR isnan({number}), false) OR {absent}"
    reason = (
        f"CASE WHEN isinf({number}) THEN {text(rejects.INFINITE)} "
        f"WHEN {number} IS NOT NULL THEN {text(rejects.TOO_LARGE)} "
        f"ELSE {text(rejects.BAD_NUMBER)} END"
    )
    return Cell(column, c, value, good, reason)


def as_text(c: str, type_: str) -> str:
    """SQL of a column of any type as text; null where bytes are no UTF-8."""
    return f"try(decode({c}))" if type_ == "BLOB" else c if type_ == "VARCHAR" else f"{c}::VARCHAR"


def null_words(null_values: Sequence[str]) -> str:
    """The texts that mean a missing value, as a list in SQL."""
    return ", ".join(text(v) for v in _distinct(v.strip() for v in ("", *null_values)))


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def nulled(c: str, nulls: str) -> str:
    """SQL of a text, null where it is one of `nulls`."""
    return f"CASE WHEN trim({c}) NOT IN ({nulls}) THEN {c} END"
