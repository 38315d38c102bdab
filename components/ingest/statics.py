"""`Statics`: the one value of each static covariate in each series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.errors import BadInputError

if TYPE_CHECKING:
    from components.ingest.stage import Stage


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
