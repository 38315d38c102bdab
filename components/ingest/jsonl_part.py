"""JSON lines: one object per line, read as text so that every line keeps its number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from components.ingest.files import SourceFile
from components.ingest.part import Columns, literal_path, refuse_many, require, too_many
from components.ingest.rejects import ENCODING, MALFORMED, MANY, Reject
from components.ingest.sql import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE = 1_000
"""Lines looked at to learn the names of the columns."""


@dataclass(frozen=True)
class JsonlPart:
    """A file of JSON objects, one per line."""

    file: SourceFile
    wanted: Columns
    index: int

    unit = "line"

    @classmethod
    def read_names(cls, file: SourceFile, wanted: Columns, index: int) -> JsonlPart:
        """The file, once every wanted column was seen in one of its first lines.

        Raises:
            BadInputError: If a wanted column was not seen.
        """
        names: dict[str, None] = {}
        readable = False
        with file.open() as stream:
            for line in islice(stream, SAMPLE):
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if isinstance(row, dict):
                    readable = True
                    names.update(dict.fromkeys(row))
        # Where no line can be read, the bad lines are the better message.
        if readable:
            require(wanted.all, tuple(names), file.name)
        return cls(file, wanted, index)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def types(self) -> Mapping[str, str]:
        """Everything is text."""
        return dict.fromkeys(self.wanted.all, "VARCHAR")

    def _suffix(self, located: bool) -> str:
        return f"{self.index}_x" if located else str(self.index)

    def _lines(self, suffix: str) -> str:
        # One column, nothing quoted, a delimiter that JSON text cannot hold: every line as it is.
        return (
            f"read_csv({text(literal_path(self.file.path))}, auto_detect=false, header=false, "
            "delim=chr(1), quote='', escape='', nullstr='', columns={'line': 'VARCHAR'}, "
            f"compression='{'gzip' if self.file.gzipped else 'none'}', store_rejects=true, "
            f"rejects_table='bad_lines_{suffix}', rejects_scan='bad_scan_{suffix}')"
        ).replace("chr(1)", "'\x01'")

    def relation(self, *, located: bool = False) -> str:
        """See `Part`."""
        # JSON pointers, because a name may hold any character.
        pointers = ", ".join(
            text("/" + c.replace("~", "~0").replace("/", "~1")) for c in self.wanted.all
        )
        select = ", ".join(
            f"fields[{i + 1}] AS {self.wanted.alias(c)}" for i, c in enumerate(self.wanted.all)
        )
        record = ", row_number() OVER () AS record" if located else ""
        keep = ", record" if located else ""
        lines = f"SELECT line{record} FROM {self._lines(self._suffix(located))}"
        return (
            f"(SELECT {select}{keep} FROM (SELECT json_extract_string(line, [{pointers}]) AS "
            f"fields{keep} FROM ({lines}) WHERE {_object('line')}))"
        )

    def malformed(self, connection: DuckDBPyConnection, *, located: bool = False) -> list[Reject]:
        """See `Part`: lines that are not JSON objects."""
        table = f"bad_lines_{self._suffix(located)}"
        refuse_many(connection, table, "line", self.name)
        rejects = [
            Reject(self.name, line, ENCODING, value=message, raw=raw)
            for line, message, raw in connection.execute(
                "SELECT line, any_value(error_message), any_value(csv_line) "
                f"FROM {table} GROUP BY 1 ORDER BY 1"
            ).fetchall()
        ]
        rows = connection.execute(
            "SELECT record, line FROM (SELECT row_number() OVER () AS record, line "
            f"FROM {self._lines(f'{self.index}_y')}) "
            "WHERE line IS NOT NULL AND trim(line) <> '' AND "
            f"NOT coalesce({_object('line')}, false) LIMIT {MANY + 1}"
        ).fetchall()
        if len(rows) > MANY:
            raise too_many(self.name)
        skipped = [reject.number for reject in rejects]
        for record, line in rows:
            number = _shifted(record, skipped)
            rejects.append(Reject(self.name, number, MALFORMED, value="no JSON object", raw=line))
        return sorted(rejects)

    def places(
        self, records: Sequence[int], malformed: Sequence[Reject]
    ) -> dict[int, tuple[int, str]]:
        """See `Part`."""
        skipped = sorted(r.number for r in malformed if r.reason == ENCODING)
        numbers = {_shifted(record, skipped): record for record in records}
        found: dict[int, tuple[int, str]] = {}
        with self.file.open() as stream:
            for number, line in enumerate(stream, start=1):
                if number in numbers:
                    raw = line.decode("utf-8", "replace").rstrip("\r\n")
                    found[numbers[number]] = (number, raw)
                    if len(found) == len(numbers):
                        break
        return found


def _object(line: str) -> str:
    return f"CASE WHEN json_valid({line}) THEN json_type({line}) = 'OBJECT' END"


def _shifted(record: int, skipped: Sequence[int]) -> int:
    """The line of a record, where the lines `skipped` were no records."""
    for line in sorted(skipped):
        if line > record:
            break
        record += 1
    return record
