"""`rows.parquet`: the good rows of a span as ingestion staged them, before any rows are compared.

Grid, duplicates, conflicts and the types of static covariates are matters of all spans together:
they are settled when spans are joined, by the code of ordinary ingestion. So the rows are kept as
they were staged: `t` BIGINT, `series` VARCHAR, `v0`.. FLOAT, `s0`.. VARCHAR.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.columns import Wanted
from components.ingest.parquet_part import WholeParquet
from components.ingest.sql import text
from components.ingest.stage import Stage

if TYPE_CHECKING:
    from components.ingest.part import Part

FILE = "rows.parquet"


def columns(wanted: Wanted) -> list[str]:
    """The columns of `rows.parquet`."""
    return [
        "t",
        "series",
        *(f"v{i}" for i in range(len(wanted.numbers))),
        *(f"s{i}" for i in range(len(wanted.statics))),
    ]


def row_digest(wanted: Wanted) -> str:
    """SQL of an aggregate that is equal for equal rows in whatever order; see `digest_text`."""
    cells = ", ".join(f"coalesce({c}::VARCHAR, chr(1))" for c in columns(wanted))
    return f"sum(md5_number_lower(concat_ws(chr(0), {cells}))::HUGEINT)"


def digest_text(total: int | None, rows: int) -> str:
    """A digest from the value of `row_digest` and the number of rows."""
    return hashlib.sha256(f"{total or 0} {rows}".encode()).hexdigest()


def save_rows(stage: Stage, folder: Path, condition: str = "true") -> None:
    """Writes the good staged rows that meet an SQL condition to `folder/rows.parquet`."""
    selected = ", ".join(columns(stage.wanted))
    stage.connection.execute(
        f"COPY (SELECT {selected} FROM staged WHERE good AND ({condition})) "
        f"TO {text(str(folder / FILE))} (FORMAT parquet, COMPRESSION zstd)"
    )


class RowsPart(WholeParquet):
    """The rows of one span, as a `Part`; `name` is how messages call the span."""

    unit = "kept row"

    def relation(self, *, located: bool = False) -> str:
        """See `Part`."""
        return self.scanned("* EXCLUDE (file_row_number)" if located else "*", located=located)


class RowsStage(Stage):
    """A stage filled from `RowsPart`s: nothing is left to be read or checked cell by cell."""

    def add(self, part: Part) -> None:
        """Takes the rows of a part; there may be none."""
        inserted = self.connection.execute(f"INSERT INTO staged {self._select(part)}").fetchall()
        self.parts.append(part)
        self.rows.append(int(inserted[0][0]))
        self.malformed.append([])

    def _select(self, part: Part, located: bool = False) -> str:
        more = ""
        if located:
            stamp = "strftime(make_timestamp(t * 1000000), '%Y-%m-%d %H:%M:%S')"
            more = (
                f", NULL::VARCHAR AS reason, NULL::VARCHAR AS place, NULL::VARCHAR AS raw, "
                f"{stamp} AS stamp, record"
            )
        selected = ", ".join(columns(self.wanted))
        return f"SELECT {selected}, true AS good{more} FROM {part.relation(located=located)}"
