"""Times of a data frame to Unix seconds and back, read as training read its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import BadInputError
from models.history.recipe import WindowRecipe

_EPOCH = ("s", "ms", "us", "ns")
_OFFSET = r"[Tt ]\d{2}.*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)\s*$"


@dataclass(frozen=True)
class Clock:
    """How the times of a frame are written.

    Stamps without an offset are in the zone that the model's data names. Steps of a day or longer
    are dates, not instants (`Frequency.is_date`): of a stamp with an offset, the date in that zone.

    Attributes:
        recipe: The model's.
        zone: Zone of the times that go back to the caller; None: without a zone.
    """

    recipe: WindowRecipe
    zone: Any = None

    def frame(self, seconds: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
        """Times for the caller, in the zone of those it sent."""
        index = pd.DatetimeIndex(seconds.astype("datetime64[s]").astype("datetime64[ns]"))
        return index if self.zone is None else index.tz_localize("UTC").tz_convert(self.zone)


def read_times(column: pd.Series[Any], recipe: WindowRecipe) -> tuple[npt.NDArray[np.int64], Clock]:
    """Unix seconds UTC of a column of times, and how to write times back.

    Args:
        column: Of datetimes, dates or ISO 8601 text; numbers if the model's data counts time so.
        recipe: The model's.

    Raises:
        BadInputError: If a time is missing, cannot be read, has a fraction of a second, or was
            skipped or repeated by a change of clocks.
    """
    name, data = column.name, recipe.data
    if column.isna().any():
        raise BadInputError(f"row {_first(column.isna())} has no time in the column {name!r}")
    stamps = _stamps(column, recipe)
    try:
        if stamps.dt.tz is not None:
            zone: Any = stamps.dt.tz
            if recipe.step.is_date:
                stamps, zone = stamps.dt.tz_convert(data.timezone).dt.tz_localize(None), None
            else:
                stamps = stamps.dt.tz_convert("UTC").dt.tz_localize(None)
        elif data.timezone == "UTC" or recipe.step.is_date:
            zone = None
        else:
            zone = data.timezone
            local = stamps.dt.tz_localize(zone, ambiguous="raise", nonexistent="raise")
            stamps = local.dt.tz_convert("UTC").dt.tz_localize(None)
    except Exception as error:  # pytz's and zoneinfo's errors share no base
        raise BadInputError(
            f"column {name!r}: a time does not exist, or came twice, in the zone {data.timezone!r} "
            f"({error}); give times with an offset"
        ) from None
    exact = stamps.to_numpy("datetime64[ns]")
    seconds = exact.astype("datetime64[s]")
    if (seconds != exact).any():
        row = _first(pd.Series(seconds != exact, index=column.index))
        raise BadInputError(
            f"row {row}: the time {column.loc[row]} in {name!r} has a fraction of a second; times "
            "are kept to the second"
        )
    return seconds.astype(np.int64), Clock(recipe, zone)


def _stamps(column: pd.Series[Any], recipe: WindowRecipe) -> pd.Series[Any]:
    """The column as datetimes, with or without a zone."""
    name, format_ = column.name, recipe.data.time_format
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    wrong = f"column {name!r} has the type {column.dtype}; expected datetimes or ISO 8601 text"
    if pd.api.types.is_numeric_dtype(column.dtype):
        if format_ not in _EPOCH or not pd.api.types.is_integer_dtype(column.dtype):
            raise BadInputError(wrong)
        return pd.to_datetime(column, unit=cast(Literal["s", "ms", "us", "ns"], format_))
    if format_ in _EPOCH:
        raise BadInputError(f"{wrong}, or whole numbers of {format_} since 1970 as in training")
    text = column.map(lambda v: isinstance(v, str))
    try:
        if not text.any():
            return pd.to_datetime(column)
        if format_ is not None:
            return pd.to_datetime(column, format=format_, utc="%z" in format_ or "%Z" in format_)
        own = column.astype(str).str.contains(_OFFSET)
        if own.any() and not own.all():
            raise BadInputError(
                f"column {name!r}: some times have a UTC offset and some have none, such as "
                f"{column.loc[_first(~own)]!r}; write all of them the same way"
            )
        return pd.to_datetime(column, format="ISO8601", utc=bool(own.all()))
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, BadInputError):
            raise
        raise BadInputError(f"{wrong} ({' '.join(str(error).split())})") from None


def _first(mask: pd.Series[Any]) -> Any:
    return mask.index[int(np.argmax(mask.to_numpy(bool)))]
