"""`Statics`: the one value of each static covariate in each series."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.errors import BadInputError

if TYPE_CHECKING:
    from components.ingest.stage import Stage

_FETCHED = 4096
"""Series whose values are fetched at a time."""


@dataclass(frozen=True)
class Statics:
    """By static covariate, its type (`number` or `text`) and one value per series, in order."""

    types: dict[str, str] = field(default_factory=dict)
    values: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, stage: Stage) -> Statics:
        """Reads them from the staged rows. A covariate is numeric if all its values are.

        A value may be missing in some rows of a series, but not in all.

        Raises:
            BadInputError: If a series has two values, or none.
        """
        types: dict[str, str] = {}
        values: dict[str, tuple[Any, ...]] = {}
        for i, name in enumerate(stage.wanted.statics):
            numeric = stage.number(
                f"s{i} IS NOT NULL AND NOT coalesce(isfinite(try_cast(s{i} AS FLOAT)), false)"
            )
            types[name] = "text" if numeric else "number"
            value = f"s{i}" if numeric else f"s{i}::FLOAT + 0::FLOAT"
            rows = stage.connection.execute(
                f"SELECT series, min({value}), max({value}) FROM staged GROUP BY 1 ORDER BY 1"
            ).fetchall()
            for series, low, high in rows:
                where = f"series {series!r}" if stage.wanted.series is not None else "the series"
                if low is None:
                    raise BadInputError(
                        f"static covariate {name!r}: {where} has no value; give one in the data, "
                        "or leave the covariate out"
                    )
                if low != high:
                    raise BadInputError(
                        f"static covariate {name!r}: {where} has different values, {low!r} and "
                        f"{high!r}; if it changes in time, list it under covariates.past or "
                        "covariates.future"
                    )
            values[name] = tuple(row[1] for row in rows)
        return cls(types, values)


def values_by_series(stage: Stage, texts: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of the series and values of their static covariates, in the order of the names.

    Args:
        stage: The staged rows; they may be read at the same time.
        texts: The static covariates that are text; the others have to be numbers.

    Raises:
        BadInputError: If a series has two values, or none, or text for a number.
    """
    names = stage.wanted.statics
    columns = ["series"]
    for i, name in enumerate(names):
        value, bad = f"s{i}", "false"
        if name not in texts:
            value = f"(try_cast(s{i} AS FLOAT) + 0::FLOAT)"
            bad = f"s{i} IS NOT NULL AND NOT coalesce(isfinite({value}), false)"
        columns += [f"min({value})", f"max({value})", f"any_value(s{i}) FILTER ({bad})"]
    cursor = stage.connection.cursor()
    try:
        result = cursor.execute(
            f"SELECT {', '.join(columns)} FROM staged GROUP BY series ORDER BY series"
        )
        while found := result.fetchmany(_FETCHED):
            for series, *values in found:
                yield series, _single(series, names, values)
    finally:
        cursor.close()


def _single(series: str, names: Sequence[str], values: list[Any]) -> dict[str, Any]:
    found = {}
    for i, name in enumerate(names):
        low, high, wrong = values[3 * i : 3 * i + 3]
        where = f"static covariate {name!r}: series {series!r}"
        if wrong is not None:
            raise BadInputError(f"{where} has {wrong!r}; the model expects a number")
        if low is None:
            raise BadInputError(f"{where} has no value; give one in the data")
        if low != high:
            raise BadInputError(f"{where} has different values, {low!r} and {high!r}")
        found[name] = low
    return found
