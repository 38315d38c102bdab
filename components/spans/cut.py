"""`Cut`: what a growing source holds of one period."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

from components.ingest.rejects import Reject
from components.ingest.stage import Stage
from components.spans.period import Periods
from components.spans.rows import digest_text, row_digest

_HOUR = 3_600


@dataclass
class Cut:
    """One period of a growing source.

    Attributes:
        rows: Good rows.
        digest: Of these, in whatever order.
        bad: Its bad rows; the newest period also gets those of the source whose time is unknown.
        dropped: Bad rows of this period, by reason.
        unplaced: Bad rows whose time is unknown, by reason.
    """

    rows: int = 0
    digest: str = ""
    bad: list[Reject] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    unplaced: dict[str, int] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """Digest of all that decides what becomes of the period."""
        parts = [self.digest, sorted(self.dropped.items()), sorted(self.unplaced.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def cuts(stage: Stage, periods: Periods, first: int | None) -> dict[int, Cut]:
    """The periods that staged rows lie in, by number.

    Args:
        stage: The rows.
        periods: What to cut them into.
        first: Unix second before which no row is wanted; None: all are.

    Raises:
        BadInputError: If far too many rows are bad.
    """
    found: dict[int, Cut] = {}
    unplaced: list[Reject] = [reject for part in stage.malformed for reject in part]
    for time, reject in stage.bad_between(first):
        if time is None:
            unplaced.append(reject)
        else:
            found.setdefault(periods.number(time), Cut()).bad.append(reject)
    for cut in found.values():
        cut.dropped = dict(Counter(reject.reason for reject in cut.bad))
    for number, rows, total in _counted(stage, periods):
        cut = found.setdefault(number, Cut())
        cut.rows, cut.digest = rows, digest_text(total, rows)
    if unplaced and found:
        newest = found[max(found)]
        newest.bad = sorted([*newest.bad, *unplaced])
        newest.unplaced = dict(Counter(reject.reason for reject in unplaced))
    return found


def _counted(stage: Stage, periods: Periods) -> list[tuple[int, int, int]]:
    """Number, good rows and their digest of each period."""
    import pyarrow as pa

    hour = f"floor(t / {_HOUR})::BIGINT"
    rows = stage.connection.execute(f"SELECT DISTINCT {hour} FROM staged WHERE good").fetchall()
    hours = [int(row[0]) for row in rows]
    numbers = [periods.number(value * _HOUR) for value in hours]
    table = {"hour": pa.array(hours, pa.int64()), "number": pa.array(numbers, pa.int64())}
    stage.connection.register("hours", pa.table(table))
    counted = stage.connection.execute(
        f"SELECT number, count(*), {row_digest(stage.wanted)} FROM staged "
        f"JOIN hours ON hour = {hour} WHERE good GROUP BY number"
    ).fetchall()
    stage.connection.unregister("hours")
    return [(int(number), int(count), int(total)) for number, count, total in counted]
