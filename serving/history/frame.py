"""`HistoryFrame`: a data frame of raw history, checked, as the rows of its series."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import BadInputError
from models.history.recipe import WindowRecipe
from serving.history.times import Clock, read_times

ONE = ""
"""Id of the series where the data has no column of ids."""


@dataclass(frozen=True)
class HistoryFrame:
    """Rows sorted by series and time.

    Attributes:
        recipe: The model's.
        clock: How times are written back.
        series: Ids, sorted.
        starts: int64 `[series + 1]`: the rows of series `i` are `starts[i] .. starts[i + 1] - 1`.
        time: int64 `[rows]`, Unix seconds UTC.
        values: float32 `[rows, columns]` in the order of `roles.dynamic`, nan where missing.
        static: By static covariate, a value (float or str) per series.
    """

    recipe: WindowRecipe
    clock: Clock
    series: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    time: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    static: dict[str, list[Any]]

    @classmethod
    def of(cls, frame: pd.DataFrame, recipe: WindowRecipe, *, static: bool = True) -> HistoryFrame:
        """Reads a frame in long form: a row per series and time.

        Args:
            frame: With the columns of time, series (if the model's data has one), targets, and
                past, future and static covariates. The time may be its index. Others are not used.
            recipe: The model's.
            static: Whether static covariates are read from it.

        Raises:
            BadInputError: If a column is missing or of the wrong type, a value is not finite in
                32 bits, or a series has not exactly one value of a static covariate.
        """
        data, roles = recipe.data, recipe.roles
        if not isinstance(frame, pd.DataFrame):
            raise BadInputError(f"expected a pandas DataFrame, got {type(frame).__name__}")
        if data.time not in frame.columns and data.time in frame.index.names:
            frame = frame.reset_index()
        wanted = [data.time, *([data.series] if data.series else []), *roles.dynamic]
        wanted += roles.covariates.static if static else ()
        _require(frame, wanted)
        if not len(frame):
            raise BadInputError("the data frame has no rows; give the history of every series")
        frame = frame.reset_index(drop=True)
        time, clock = read_times(frame[data.time], recipe)
        ids = _ids(frame, data.series)
        codes, names = pd.factorize(ids, sort=True)
        order = np.lexsort((time, codes))
        values = np.stack([_numbers(frame[name]) for name in roles.dynamic], axis=1)
        counts = np.bincount(codes, minlength=len(names))
        return cls(
            recipe=recipe,
            clock=clock,
            series=tuple(str(n) for n in names),
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            time=time[order],
            values=values[order],
            static={
                name: _constants(frame[name], codes, names, text=name in recipe.text)
                for name in (roles.covariates.static if static else ())
            },
        )

    def rows(
        self,
    ) -> Iterator[tuple[str, npt.NDArray[np.int64], npt.NDArray[np.float32], dict[str, Any]]]:
        """By series: its id, times `[rows]`, values `[rows, columns]`, and static covariates."""
        for i, series in enumerate(self.series):
            part = slice(int(self.starts[i]), int(self.starts[i + 1]))
            static = {name: values[i] for name, values in self.static.items()}
            yield series, self.time[part], self.values[part], static


def static_columns(
    frame: pd.DataFrame, recipe: WindowRecipe, series: Sequence[str]
) -> dict[str, list[Any]]:
    """The static covariates of `series`, in their order, from a frame with rows for each.

    Raises:
        BadInputError: If a column or a series is missing, or a series has not exactly one value.
    """
    names, column = recipe.roles.covariates.static, recipe.data.series
    _require(frame, [*([column] if column else []), *names])
    frame = frame.reset_index(drop=True)
    ids = _ids(frame, column)
    lacking = sorted(set(series) - set(ids))
    if lacking:
        raise BadInputError(f"series {lacking[0]!r} has no row with its static covariates")
    kept = frame[np.isin(ids, list(series))].reset_index(drop=True)
    place = {name: i for i, name in enumerate(series)}
    codes = np.asarray([place[i] for i in ids if i in place], np.int64)
    return {
        name: _constants(kept[name], codes, list(series), text=name in recipe.text)
        for name in names
    }


def _require(frame: pd.DataFrame, wanted: list[str]) -> None:
    present = [str(c) for c in frame.columns]
    for column in wanted:
        if present.count(column) > 1:
            raise BadInputError(f"the data frame has the column {column!r} more than once")
        if column in frame.columns:
            continue
        lower = {p.lower(): p for p in reversed(present)}
        near = difflib.get_close_matches(column.lower(), lower, n=1, cutoff=0.5)
        hint = f"did you mean {lower[near[0]]!r}? " if near else ""
        raise BadInputError(
            f"the data frame has no column {column!r}; {hint}its columns are: "
            f"{', '.join(present) or 'none'}"
        )


def _ids(frame: pd.DataFrame, column: str | None) -> npt.NDArray[Any]:
    """Series ids as text, as a file would hold them."""
    if column is None:
        return np.full(len(frame), ONE, object)
    ids = frame[column]
    if ids.isna().any():
        row = int(np.argmax(ids.isna().to_numpy(bool)))
        raise BadInputError(f"row {row} has no series id in the column {column!r}")
    return _text(ids)


def _text(column: pd.Series[Any]) -> npt.NDArray[Any]:
    if pd.api.types.is_float_dtype(column.dtype):
        raise BadInputError(
            f"column {column.name!r} holds floating-point numbers; expected text (or whole "
            "numbers), as 7 and 7.0 are different words"
        )
    return np.asarray([_word(v) for v in column], object)


def _word(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _numbers(column: pd.Series[Any]) -> npt.NDArray[np.float32]:
    exact = as_floats(column)
    with np.errstate(over="ignore"):
        values = exact.astype(np.float32)
    bad = np.isinf(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise BadInputError(
            f"row {row}: column {column.name!r} holds {exact[row]}, which is no finite 32-bit "
            "number; a missing value is nan"
        )
    return values


def as_floats(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """A column of numbers as float64, nan where missing.

    Raises:
        BadInputError: If it holds anything else, such as text.
    """
    kinds = pd.api.types
    if kinds.is_numeric_dtype(column.dtype) and not kinds.is_complex_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    if column.dtype == object:
        wrong = column.map(lambda v: isinstance(v, (str, bytes)) or not _is_number(v))
        if not wrong.any():
            return pd.to_numeric(column.where(column.notna(), np.nan)).to_numpy(np.float64)
        row = int(np.argmax(wrong.to_numpy(bool)))
        raise BadInputError(
            f"row {row}: column {column.name!r} holds {column.iloc[row]!r}; expected numbers, nan "
            "where missing"
        )
    raise BadInputError(f"column {column.name!r} has the type {column.dtype}; expected numbers")


def _is_number(value: Any) -> bool:
    if value is None or value is pd.NA:
        return True
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, complex)


def _constants(
    column: pd.Series[Any], codes: npt.NDArray[Any], names: Any, *, text: bool
) -> list[Any]:
    """The one value of each series; it may be missing in some rows, not in all."""
    known = column.notna().to_numpy(bool)
    if text:
        kept = column[known]
        # Whole numbers beside missing values are floats to pandas.
        if pd.api.types.is_float_dtype(kept.dtype) and not known.all() and (kept % 1 == 0).all():
            kept = kept.astype(np.int64)
        cells: npt.NDArray[Any] = _text(kept)
    else:
        cells = _numbers(column)[known]
    by_series = pd.Series(cells).groupby(codes[known])
    found: list[Any] = []
    distinct = by_series.unique()
    for i, name in enumerate(names):
        values = distinct.get(i, ())
        if len(values) != 1:
            what = f"the values {', '.join(map(repr, values[:3]))}" if len(values) else "no value"
            where = f"series {name!r}" if name != ONE else "the series"
            raise BadInputError(
                f"{where} has {what} of the static covariate {column.name!r}; expected exactly one"
            )
        found.append(str(values[0]) if text else float(values[0]))
    return found
