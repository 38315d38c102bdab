"""Staged rows made fit for use: bad rows refused or dropped, as configured, and series numbered."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.ingest.grid import Grid
from components.ingest.rejects import CONFLICT, OFF_GRID, Reject, Tally
from models.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from components.ingest.stage import Stage


def drop_bad(stage: Stage, bad: Tally) -> None:
    """Drops rows with a bad cell and counts malformed records.

    Raises:
        BadInputError: If there are any and `data.on_bad_rows` is `fail`.
    """
    _note(stage, bad, *stage.bad_rows(), drop="NOT good")


def grid(stage: Stage, bad: Tally) -> Grid:
    """The grid of the staged rows; rows off it are dropped.

    Raises:
        BadInputError: If there are such rows and `data.on_bad_rows` is `fail`, or most are off it,
            or no row is left.
    """
    while True:
        if stage.number() == 0:
            raise BadInputError(
                f"data: none of {sum(stage.rows)} rows can be used ({bad.summary()})"
            )
        found = Grid.of(stage)
        if not stage.number("true", "off_grid"):
            return found
        off = [reject for _, reject in stage.rows_at("off_grid", OFF_GRID)]
        _note(stage, bad, sorted(off), _at(stage, "off_grid", OFF_GRID), drop=_in("off_grid"))


def drop_conflicts(stage: Stage, bad: Tally, conflicts: Sequence[npt.NDArray[np.int64]]) -> None:
    """Drops the rows at each [series, time] where rows contradict each other.

    Args:
        stage: The rows; the table `ids` numbers the series.
        bad: Gets the rows.
        conflicts: int64 arrays `[n, 2]` of the series' number and the time.

    Raises:
        BadInputError: If `data.on_bad_rows` is `fail`.
    """
    listed = _conflicts(stage, conflicts)
    _note(stage, bad, listed, _at(stage, "clashes", CONFLICT), drop=_in("clashes"))


def number_series(stage: Stage) -> None:
    """Makes the table `ids` of (series, id): from 0 in the order of the series' names."""
    stage.connection.execute(
        "CREATE OR REPLACE TABLE ids AS SELECT series, "
        "(row_number() OVER (ORDER BY series) - 1)::INTEGER AS id "
        "FROM (SELECT DISTINCT series FROM staged)"
    )


def series_names(stage: Stage) -> tuple[str, ...]:
    """The names in the table `ids`, in its order."""
    rows = stage.connection.execute("SELECT series FROM ids ORDER BY id").fetchall()
    return tuple(str(row[0]) for row in rows)


def _note(
    stage: Stage, bad: Tally, listed: list[Reject], counts: dict[str, int], *, drop: str
) -> None:
    """Refuses bad rows, or counts and drops them, as configured."""
    if not counts:
        return
    bad.add(listed, counts)
    if stage.data.on_bad_rows == "fail":
        several = CONFLICT in counts and stage.wanted.series is None
        bad.refuse(sum(stage.rows), "are there several series? set data.series" if several else "")
    stage.drop(drop)


def _in(keys: str) -> str:
    return f"(t, series) IN (SELECT (t, series) FROM {keys})"


def _at(stage: Stage, keys: str, reason: str) -> dict[str, int]:
    return {reason: stage.number(_in(keys))}


def _conflicts(stage: Stage, conflicts: Sequence[npt.NDArray[np.int64]]) -> list[Reject]:
    """Makes the table `clashes` of (t, series); the rows there, each with those it contradicts."""
    import numpy as np
    import pyarrow as pa

    keys = pa.table(dict(zip(("id", "t"), np.concatenate(conflicts).T, strict=True)))
    stage.connection.register("clashes_arrow", keys)
    stage.connection.execute(
        "CREATE OR REPLACE TABLE clashes AS SELECT DISTINCT t, series FROM clashes_arrow "
        "JOIN ids USING (id)"
    )
    stage.connection.unregister("clashes_arrow")
    places: dict[tuple[int, str], list[Reject]] = {}
    for key, reject in stage.rows_at("clashes", CONFLICT):
        places.setdefault(key, []).append(reject)
    listed = []
    for (_, series), group in sorted(places.items()):
        for reject in group:
            others = [r.place for r in group[:4] if r is not reject]
            of = f" of series {series!r}" if stage.wanted.series is not None else ""
            value = f"{reject.value}{of}, against {' and '.join(others)}"
            listed.append(dataclasses.replace(reject, value=value))
    return listed
