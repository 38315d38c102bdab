"""CSV files: headers, delimiters, and the lines of bad records."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.ingest.files import SourceFile
from components.ingest.part import Columns, literal_path, refuse_many, require
from components.ingest.rejects import ENCODING, MALFORMED, Reject
from components.ingest.sql import text
from models.errors import BadInputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DELIMITERS = (",", ";", "\t", "|")
_HEADER_LIMIT = 1 << 22


@dataclass(frozen=True)
class CsvPart:
    """A CSV file whose header has been read; `named` is false where it has none.

    With `quoted`, fields may be enclosed in `"`; else `"` is a character like any other.
    """

    file: SourceFile
    header: tuple[str, ...]
    delimiter: str
    wanted: Columns
    index: int
    named: bool = True
    quoted: bool = True

    unit = "line"

    @classmethod
    def read_header(cls, file: SourceFile, delimiter: str, wanted: Columns, index: int) -> CsvPart:
        """The file with its columns; `delimiter` may be `auto`.

        Raises:
            BadInputError: If it is not UTF-8 text or lacks a wanted column.
        """
        with file.open() as stream:
            line = stream.readline(_HEADER_LIMIT)
        try:
            first = line.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInputError(
                f"{file.name}:1: the header is not UTF-8 text; save the file as UTF-8"
            ) from None
        if "\0" in first:
            raise BadInputError(f"{file.name}:1: the header holds zero bytes; is this a CSV file?")
        if not first.strip():
            raise BadInputError(f"{file.name}:1: the first line is blank; expected column names")
        candidates = DELIMITERS if delimiter == "auto" else (delimiter,)
        headers = {d: _fields(first, d) for d in candidates}
        best = max(
            candidates, key=lambda d: (len(set(wanted.all) & set(headers[d])), len(headers[d]))
        )
        require(wanted.all, headers[best], file.name, ":1")
        return cls(file, headers[best], best, wanted, index)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def types(self) -> Mapping[str, str]:
        """Everything is text."""
        return dict.fromkeys(self.wanted.all, "VARCHAR")

    def relation(self, *, located: bool = False) -> str:
        """See `Part`."""
        names = [f"c{i}" for i in range(len(self.header))]
        columns = ", ".join(f"{text(n)}: 'VARCHAR'" for n in names)
        suffix = self._suffix(located)
        quote = text('"' if self.quoted else "")
        scan = (
            f"read_csv({text(literal_path(self.file.path))}, auto_detect=false, "
            f"header={str(self.named).lower()}, delim={text(self.delimiter)}, "
            f"quote={quote}, escape={quote}, nullstr='', "
            f"columns={{{columns}}}, "
            f"compression='{'gzip' if self.file.gzipped else 'none'}', store_rejects=true, "
            f"rejects_table='bad_lines_{suffix}', rejects_scan='bad_scan_{suffix}')"
        )
        select = ", ".join(
            f"c{self.header.index(c)} AS {self.wanted.alias(c)}" for c in self.wanted.all
        )
        record = ", row_number() OVER () AS record" if located else ""
        return f"(SELECT {select}{record} FROM {scan})"

    def malformed(self, connection: DuckDBPyConnection, *, located: bool = False) -> list[Reject]:
        """See `Part`: lines with too many or too few fields, bad quotes or bad UTF-8."""
        table = f"bad_lines_{self._suffix(located)}"
        refuse_many(connection, table, "line_byte_position", self.name)
        rows = connection.execute(
            "SELECT line_byte_position, any_value(error_type::VARCHAR ORDER BY column_idx), "
            "any_value(error_message ORDER BY column_idx), any_value(csv_line) "
            f"FROM {table} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if not rows:
            return []
        lines = self._lines_at({position for position, *_ in rows})
        return [
            Reject(
                self.name,
                lines.get(position, (0, ""))[0],
                ENCODING if kind == "INVALID ENCODING" else MALFORMED,
                value=(message or "").split("\n")[0],
                raw=(raw or "").strip("\r\n"),
            )
            for position, kind, message, raw in rows
        ]

    def places(
        self, records: Sequence[int], malformed: Sequence[Reject]
    ) -> dict[int, tuple[int, str]]:
        """See `Part`."""
        wanted, skip = set(records), {reject.number for reject in malformed}
        found: dict[int, tuple[int, str]] = {}
        record = 0
        for line, _, raw in self._records():
            if line in skip:
                continue
            record += 1
            if record in wanted:
                found[record] = (line, raw)
                if len(found) == len(wanted):
                    break
        return found

    def _suffix(self, located: bool) -> str:
        return f"{self.index}{'_again' if located else ''}"

    def _lines_at(self, positions: Collection[int]) -> dict[int, tuple[int, str]]:
        """The line at or after each byte position that is not blank."""
        waiting = sorted(positions)
        found: dict[int, tuple[int, str]] = {}
        with self.file.open() as stream:
            offset = 0
            for number, line in enumerate(stream, start=1):
                offset += len(line)
                while waiting and waiting[0] < offset and line.strip():
                    found[waiting.pop(0)] = (number, line.decode("utf-8", "replace"))
                if not waiting:
                    break
        return found

    def _records(self) -> Iterator[tuple[int, list[str], str]]:
        """Records after the header: first line, fields, raw text.

        Blank lines are none, but where there is one column only.
        """
        with self.file.open() as stream:
            taken: list[str] = []

            def lines() -> Iterator[str]:
                for line in stream:
                    taken.append(line.decode("utf-8", "replace"))
                    yield taken[-1]

            csv.field_size_limit(_HEADER_LIMIT)
            reader = csv.reader(
                lines(),
                delimiter=self.delimiter,
                quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            )
            number, first, blanks = 1, self.named, len(self.header) == 1
            for fields in reader:
                if (fields or blanks) and not first:
                    yield number, fields, "".join(taken).rstrip("\r\n")
                first = first and not fields
                number += len(taken)
                taken.clear()


def _fields(line: str, delimiter: str) -> tuple[str, ...]:
    rows = list(csv.reader([line], delimiter=delimiter))
    return tuple(field.strip() for field in rows[0]) if rows else ()
