"""What an unknown table is about: its time, its series, its step, its variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.ingest.inspect import Column, Table, quote
from models.errors import BadInputError
from models.frequency import DAY, WEEK, Frequency

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_TIME_NAMES = re.compile(r"date|time|stamp|^ds$|^day$|^week$|^month$|^year$|^t$|period", re.I)
_SERIES_NAMES = re.compile(
    r"(^|_)(id|ids|uid|key|code)$|^id_?|series|store|shop|sku|item|product|station|site|region"
    r"|country|state|city|sensor|device|meter|customer|symbol|ticker|group|name|machine",
    re.I,
)
_ROW_NAMES = re.compile(r"|index|idx|id|row|no|nr|unnamed: ?0|column0", re.I)
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class Guess:
    """What a table seems to be; times are Unix seconds UTC.

    Attributes:
        time: The column of time stamps.
        series: The column of series ids, or None for one series.
        frequency: Its step.
        targets: Numeric columns that vary.
        static: Columns with one value per series.
        left_out: Other columns, with the reason.
        rows: Rows in the table.
        series_count: Number of series.
        first: First time.
        last: Last time.
        steps: Steps of the grid from first to last, both included.
        holes: Stretches of missing steps.
        missing_steps: Steps missing in them.
        longest_hole: Steps of the longest.
    """

    time: Column
    series: Column | None
    frequency: Frequency
    targets: tuple[str, ...]
    static: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    rows: int
    series_count: int
    first: int
    last: int
    steps: int
    holes: int
    missing_steps: int
    longest_hole: int


def infer(table: Table) -> Guess:
    """The likeliest reading of `table`.

    Raises:
        BadInputError: If it has no time column, no regular step, series that no column tells
            apart, or no numeric column that varies.
    """
    time = _time(table)
    series = _series(table, time)
    _stamps(table, time, series)
    frequency = _frequency(table, time)
    first, last, count = table.ask("SELECT min(t), max(t), count(DISTINCT s) FROM stamps")[0]
    targets, static, left_out = _variables(table, time, series)
    _stamps(table, time, series, complete=targets)
    holes, missing, longest = _holes(table, frequency, first)
    return Guess(
        time=time,
        series=series,
        frequency=frequency,
        targets=targets,
        static=static,
        left_out=left_out,
        rows=table.rows,
        series_count=count,
        first=first,
        last=last,
        steps=len(frequency.grid(first, last)),
        holes=holes,
        missing_steps=missing,
        longest_hole=longest,
    )


def _stamps(
    table: Table, time: Column, series: Column | None, complete: tuple[str, ...] = ()
) -> None:
    """Makes the table `stamps` (s, t) of the distinct steps at which `complete` are all there."""
    name = f"{quote(series.name)}::VARCHAR" if series else "''"
    stamp = table.seconds(time)
    there = [f"{stamp} IS NOT NULL", *(f"{quote(c)} IS NOT NULL" for c in complete)]
    table.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE stamps AS SELECT DISTINCT {name} AS s, {stamp} AS t "
        f"FROM source WHERE {' AND '.join(there)}"
    )


def _time(table: Table) -> Column:
    readable = [c for c in table.columns if c.time_format is not None]
    if not readable:
        names = ", ".join(c.name for c in table.columns)
        raise BadInputError(
            f"{table.files[0].name}: no column reads as time; the columns are: {names}. Add a "
            "column of dates or time stamps (ISO 8601, such as 2024-03-31 18:00), or write a "
            "configuration by hand with data.time and data.time_format"
        )

    def likely(column: Column) -> tuple[bool, bool, float]:
        text = column.time_format not in ("s", "ms", "us", "ns")
        return bool(_TIME_NAMES.search(column.name)), text, column.present

    # The first of equals: tables begin with their time.
    return max(readable, key=likely)


def _series(table: Table, time: Column) -> Column | None:
    stamp = table.seconds(time)
    rows, distinct = table.ask(
        f"SELECT count(*), count(DISTINCT {stamp}) FROM (SELECT DISTINCT * FROM source) "
        f"WHERE {stamp} IS NOT NULL"
    )[0]
    if distinct == rows:
        return None
    candidates = [
        c
        for c in table.columns
        if c.name != time.name
        and c.present >= 0.99 * table.rows
        and 1 < c.distinct <= max(2, table.rows // 2)
        and (not c.numeric or c.type in ("VARCHAR", "INTEGER", "BIGINT", "SMALLINT", "TINYINT"))
        and c.time_format in (None, "s", "ms", "us", "ns")
    ]
    found = []
    for column in candidates:
        (pairs,) = table.ask(
            f"SELECT count(*) FROM (SELECT DISTINCT {quote(column.name)}, {stamp} FROM source)"
        )[0]
        if pairs >= 0.99 * rows:
            named = bool(_SERIES_NAMES.search(column.name))
            found.append((named, not column.numeric, -column.distinct, column))
    if found:
        best = max(found, key=lambda item: item[:3])
        if best[0] or best[1]:
            return best[3]
    if rows - distinct <= 0.01 * rows:
        return None  # a few doubled rows, which `elman check` shows one by one
    names = ", ".join(c.name for c in candidates) or "none"
    raise BadInputError(
        f"{table.files[0].name}: {rows - distinct:,} of {rows:,} rows share their time "
        f"({time.name}) with another, and no column tells the series apart (tried: {names}). "
        "If several columns together do, make one column of them, such as store-item"
    )


def _frequency(table: Table, time: Column) -> Frequency:
    steps = table.ask(
        "SELECT d, count(*) FROM (SELECT t - lag(t) OVER (PARTITION BY s ORDER BY t) AS d "
        "FROM stamps) WHERE d > 0 GROUP BY d ORDER BY 2 DESC, 1"
    )
    if not steps:
        raise BadInputError(
            f"{table.files[0].name}: no two rows of a series differ in time ({time.name}), so it "
            "has no step; expected at least a few dozen rows over time"
        )
    usual, _ = steps[0]
    total = sum(count for _, count in steps)
    if usual >= 27 * DAY and (calendar := _months(table, steps)):
        return calendar
    whole = sum(count for d, count in steps if d % usual == 0)
    if usual == DAY and _business(table):
        return Frequency.parse("B")
    if whole < 0.9 * total:
        shown = ", ".join(f"{_words(d)} ({count / total:.0%})" for d, count in steps[:3])
        raise BadInputError(
            f"{table.files[0].name}: column {time.name!r} has no regular step: the differences "
            f"are {shown}{' and more' if len(steps) > 3 else ''}; resample the data first"
        )
    if usual % WEEK == 0:
        day = table.ask(
            "SELECT isodow(make_timestamp(t * 1000000)), count(*) FROM stamps GROUP BY 1 "
            "ORDER BY 2 DESC"
        )[0][0]
        weeks = usual // WEEK
        return Frequency.parse(f"{weeks if weeks > 1 else ''}W-{_DAYS[day - 1]}")
    return Frequency.parse(f"{usual}s")


def _months(table: Table, steps: list[tuple[int, int]]) -> Frequency | None:
    if all(d % WEEK == 0 for d, _ in steps):
        return None
    stamp = "make_timestamp(t * 1000000)"
    total, starts, ends, months = table.ask(
        f"SELECT count(*), count(*) FILTER (day({stamp}) = 1), "
        f"count(*) FILTER (day({stamp} + INTERVAL 1 DAY) = 1), "
        f"list(DISTINCT month({stamp})) FROM stamps"
    )[0]
    anchor = "S" if starts >= 0.95 * total else "E" if ends >= 0.95 * total else None
    if anchor is None:
        return None
    usual = steps[0][0] / DAY
    if usual > 364:
        return Frequency.parse(f"Y{anchor}-{_MONTHS[months[0] - 1]}")
    if usual > 88:
        return Frequency.parse(f"Q{anchor}-{_MONTHS[max(months) - 1]}")
    return Frequency.parse(f"M{anchor}")


def _business(table: Table) -> bool:
    days = table.ask("SELECT DISTINCT isodow(make_timestamp(t * 1000000)) FROM stamps")
    midnight = table.ask("SELECT count(*) FROM stamps WHERE t % 86400 <> 0")[0][0] == 0
    return midnight and {day for (day,) in days} <= {1, 2, 3, 4, 5} and len(days) == 5


def _variables(
    table: Table, time: Column, series: Column | None
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    targets, static, left = [], [], []
    for column in table.columns:
        if column.name in (time.name, series.name if series else None):
            continue
        if reason := _unfit(table, column):
            left.append((column.name, reason))
        elif series is not None and _constant_within(table, column, series):
            static.append(column.name)
        elif column.numeric:
            targets.append(column.name)
        else:
            left.append((column.name, "text that changes over time"))
    if not targets:
        seen = "; ".join(f"{name}: {reason}" for name, reason in left) or "no other columns"
        raise BadInputError(
            f"{table.files[0].name}: no numeric column that varies, so there is nothing to "
            f"forecast ({seen})"
        )
    return tuple(targets), tuple(static), tuple(left)


def _unfit(table: Table, column: Column) -> str | None:
    if column.name in ("time", "series"):
        return "the pipeline keeps this name for itself; rename the column to use it"
    if column.present < 0.5 * table.rows:
        return "mostly missing"
    if column.distinct <= 1 or (column.numeric and not column.varies):
        return "constant"
    if column.time_format is not None and not column.numeric:
        return "another time"
    if column.numeric and _ROW_NAMES.fullmatch(column.name):
        c = f"try_cast({quote(column.name)} AS BIGINT)"
        low, high, distinct = table.ask(
            f"SELECT min({c}), max({c}), count(DISTINCT {c}) FROM source"
        )[0]
        if distinct == table.rows and high - low == table.rows - 1:
            return "numbers the rows"
    return None


def _constant_within(table: Table, column: Column, series: Column) -> bool:
    (varying,) = table.ask(
        f"SELECT count(*) FROM (SELECT {quote(series.name)} FROM source GROUP BY 1 "
        f"HAVING count(DISTINCT {quote(column.name)}) > 1)"
    )[0]
    return bool(varying == 0)


def _holes(table: Table, frequency: Frequency, first: int) -> tuple[int, int, int]:
    import numpy as np

    found = table.connection.execute("SELECT s, t FROM stamps ORDER BY s, t").fetchnumpy()
    times: npt.NDArray[np.int64] = np.asarray(found["t"], np.int64)
    names = np.asarray(found["s"], object)
    same = names[1:] == names[:-1]
    numbers = frequency.index_of(times, int(frequency.grid(first, int(times.max()))[0]))
    missing = (np.diff(numbers) - 1)[same & (numbers[1:] >= 0) & (numbers[:-1] >= 0)]
    missing = missing[missing > 0]
    return len(missing), int(missing.sum()), int(missing.max(initial=0))


def _words(seconds: int) -> str:
    for unit, name in ((DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
