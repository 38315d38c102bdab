"""`SequenceStage`: the rows of all files in one DuckDB table, with the bad ones marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.ingest.part import Part
from components.ingest.rejects import LISTED, SHOWN, Reject
from components.ingest.sql import text
from components.ingest.stage import explained
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from components.sequences.ingest import reasons
from components.sequences.ingest.columns import SequenceColumns, normalised
from components.sequences.ingest.sources import Source, read
from models.errors import BadInputError
from models.sequences.spec import Task

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass
class SequenceStage:
    """The table `staged`, as `normalised` selects it, and the parts it came from."""

    connection: DuckDBPyConnection
    data: SequenceDataConfig
    split: SequenceSplitConfig
    columns: SequenceColumns
    parts: list[Part] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    malformed: list[list[Reject]] = field(default_factory=list)

    def create(self) -> None:
        """Makes the empty table; from now on rows keep the order of their files."""
        kept = [f"{name} {type_}" for name, type_ in self.columns.kept.items()]
        listed = ["part INTEGER", "record BIGINT", "sequence VARCHAR", "step DOUBLE", *kept]
        listed += ["split VARCHAR", "reason VARCHAR", "place VARCHAR", "raw VARCHAR"]
        self.connection.execute("SET preserve_insertion_order = true")
        self.connection.execute(f"CREATE TABLE staged ({', '.join(listed)})")

    def add(self, source: Source) -> None:
        """Reads one file into the table.

        Raises:
            BadInputError: If it cannot be read, or holds no rows at all.
        """
        index = len(self.parts)
        part = read(source, index, self.data, self.columns, self.connection)
        select = normalised(
            part.relation(located=True),
            part.types,
            self.columns,
            self.data,
            self.split,
            index,
            prefix=source.prefix,
            given=source.split,
        )
        with explained(part.name):
            inserted = self.connection.execute(f"INSERT INTO staged {select}").fetchall()
            bad = part.malformed(self.connection, located=True)
        if inserted[0][0] + len(bad) == 0:
            raise BadInputError(f"{part.name}: the file has no rows")
        self.parts.append(part)
        self.rows.append(int(inserted[0][0]) + len(bad))
        self.malformed.append(bad)

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(query).fetchall()

    def bad_rows(self) -> tuple[list[Reject], Counter[str]]:
        """Malformed lines and rows with a bad cell: the first with their places, and counts."""
        malformed = [reject for part in self.malformed for reject in part]
        counts = Counter(reject.reason for reject in malformed)
        bad = "FROM staged WHERE reason IS NOT NULL"
        counts.update(dict(self.fetch(f"SELECT reason, count(*) {bad} GROUP BY reason")))
        rows = self.fetch(
            f"SELECT part, record, reason, place, raw {bad} ORDER BY part, record "
            f"LIMIT {self._limit}"
        )
        return sorted(malformed + self._rejects(rows)), counts

    def contradictions(self, task: Task) -> tuple[list[Reject], Counter[str]]:
        """Rows that contradict an earlier row of their sequence; marks them in the table too.

        Only rows without a bad cell are looked at.
        """
        found: list[Reject] = []
        counts: Counter[str] = Counter()
        checks = [(reasons.TWO_SPLITS, "sequence", "split")]
        # What holds in one split only: the same id in two of them is said once.
        if self.columns.text:
            checks.append((reasons.SAME_ID, "sequence, split", ""))
        elif task == "classify":
            checks.append((reasons.LABELS, "sequence, split", "y"))
        if self.columns.step is not None:
            checks.append((reasons.REPEATED, "sequence, split, step", ""))
        for reason, keys, value in checks:
            listed, count = self._contradictions(reason, keys, value)
            found += listed
            counts[reason] = count
        return sorted(found), +counts

    def drop(self) -> int:
        """Removes every sequence with a marked row, and rows of no sequence; how many sequences."""
        before = self._sequences()
        self.connection.execute(
            "DELETE FROM staged WHERE sequence IS NULL OR sequence IN "
            "(SELECT sequence FROM staged WHERE reason IS NOT NULL AND sequence IS NOT NULL)"
        )
        return before - self._sequences()

    def _sequences(self) -> int:
        return int(self.fetch("SELECT count(DISTINCT sequence) FROM staged")[0][0])

    @property
    def _limit(self) -> int:
        return LISTED if self.data.on_bad_rows == "drop" else SHOWN

    def _contradictions(self, reason: str, keys: str, value: str) -> tuple[list[Reject], int]:
        # Two steps: to look at every row beside the first of its sequence costs a sort of all.
        differs = f"min({value}) <> max({value})" if value else "count(*) > 1"
        clash = f"{value} IS DISTINCT FROM first_value({value}) OVER w" if value else "nth > 1"
        shown = value or ("step" if "step" in keys else "sequence")
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE clashes AS SELECT * FROM ("
            f"SELECT part, record, sequence, {shown}::VARCHAR AS value, "
            f"first_value({shown}::VARCHAR) OVER w AS other, first_value(part) OVER w AS part0, "
            f"first_value(record) OVER w AS record0, row_number() OVER w AS nth, {clash} AS bad "
            f"FROM staged WHERE reason IS NULL AND ({keys}) IN (SELECT ({keys}) FROM staged "
            f"WHERE reason IS NULL GROUP BY {keys} HAVING {differs}) "
            f"WINDOW w AS (PARTITION BY {keys} ORDER BY part, record)) WHERE bad"
        )
        count = int(self.fetch("SELECT count(*) FROM clashes")[0][0])
        if not count:
            return [], 0
        rows = self.fetch(
            "SELECT part, record, sequence, value, other, part0, record0 FROM clashes "
            f"ORDER BY part, record LIMIT {self._limit}"
        )
        column = {
            "y": self.columns.target,
            "step": self.columns.step,
            "split": self.columns.split,
            "sequence": self.columns.sequence,
        }[shown]
        first = self._rejects([(r[5], r[6], reason, column, "") for r in rows])
        listed = []
        for row, before in zip(rows, first, strict=True):
            what = "" if shown == "sequence" else f"{row[3]!r} of "
            against = f"{row[4]!r} at {before.place}" if value else before.place
            words = f"{what}sequence {row[2]!r}, against {against}"
            listed.append((row[0], row[1], reason, column, words))
        self.connection.execute(
            f"UPDATE staged SET reason = {text(reason)} FROM clashes "
            "WHERE staged.part = clashes.part AND staged.record = clashes.record"
        )
        return self._rejects(listed), count

    def _rejects(self, rows: Sequence[tuple[Any, ...]]) -> list[Reject]:
        """Rejects of (part, record, reason, column, value), in that order, with their places."""
        wanted: dict[int, set[int]] = {}
        for part, record, *_ in rows:
            wanted.setdefault(part, set()).add(record)
        places = {
            part: self.parts[part].places(sorted(records), self.malformed[part])
            for part, records in wanted.items()
        }
        found = []
        for index, record, reason, column, value in rows:
            part = self.parts[index]
            line, raw = places[index].get(record, (record, ""))
            found.append(
                Reject(part.name, line, reason, column or "", value or "", raw or "", part.unit)
            )
        return found
