"""The columns that a sequence task reads, and the SQL that cleans a row of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.ingest import rejects
from components.ingest.columns import NUMBERS, Cell, as_text, null_words, nulled, number_cell
from components.ingest.sql import text
from components.sequences.config import SequenceDataConfig, SequenceSplitConfig
from components.sequences.ingest import reasons
from models.errors import BadInputError
from models.sequences.spec import SequenceSpec

EMPTY = r"[\t-\r\x1c-\x20\x{85}\p{Z}]*"
"""A text without a symbol: white space as `models.sequences.text` has it."""


@dataclass(frozen=True)
class SequenceColumns:
    """The columns of the source by part; those that a task does not have are None.

    In the table of rows, `v0`, `v1`, ... are the numbers, `w0`, ... the symbols or the text and
    `y` the target.
    """

    sequence: str | None
    step: str | None
    numbers: tuple[str, ...]
    tokens: tuple[str, ...]
    text: bool
    target: str | None
    split: str | None

    @classmethod
    def of(
        cls, data: SequenceDataConfig, split: SequenceSplitConfig, spec: SequenceSpec
    ) -> SequenceColumns:
        """The columns that the configuration names."""
        return cls(
            data.sequence,
            data.step,
            spec.inputs.numbers,
            spec.inputs.tokens,
            spec.inputs.text is not None,
            spec.target,
            split.column,
        )

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, each once."""
        named = (self.sequence, self.step, *self.numbers, *self.tokens, self.target, self.split)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def alias(self, column: str) -> str:
        """What SQL calls a raw column: its names would be the same in upper and lower case."""
        return f"r{self.all.index(column)}"

    @property
    def kept(self) -> dict[str, str]:
        """By column of the table of rows, its SQL type: what is written, but for the id."""
        found = {f"v{i}": "FLOAT" for i in range(len(self.numbers))}
        found |= {f"w{i}": "VARCHAR" for i in range(len(self.tokens))}
        return found | ({"y": "VARCHAR"} if self.target is not None else {})


def normalised(
    relation: str,
    types: Mapping[str, str],
    columns: SequenceColumns,
    data: SequenceDataConfig,
    split: SequenceSplitConfig,
    part: int,
    *,
    prefix: str,
    given: str | None,
) -> str:
    """SELECT of the rows of one part, good and bad.

    Its columns are `part`, `record`, `sequence`, `step`, `columns.kept`, `split`, and where a row
    is bad `reason`, `place` (the column) and `raw` (the cell).

    Args:
        relation: SQL of the raw columns, called `columns.alias(column)`, and of `record`.
        types: DuckDB type by column.
        columns: The columns to read.
        data: What a missing value looks like.
        split: What the values of its column mean.
        part: The part's index.
        prefix: Before the number of the row in ids, where the data has none.
        given: The split of every row, where it is known by the file; else `split` is "" for now.

    Raises:
        BadInputError: If the type of a column can hold no number.
    """
    nulls = null_words(data.null_values)

    def raw(column: str) -> tuple[str, str, str]:
        return column, columns.alias(column), types[column]

    cells: dict[str, Cell] = {}
    outer = {"sequence": f"{text(prefix)} || record::VARCHAR", "step": "NULL::DOUBLE"}
    if columns.sequence is not None:
        cells["sequence"] = _label(*raw(columns.sequence), nulls, reasons.NO_ID)
    if columns.step is not None:
        cells["step"] = _step(*raw(columns.step), nulls)
    for i, name in enumerate(columns.numbers):
        cells[f"v{i}"] = _number(*raw(name), nulls)
    for i, name in enumerate(columns.tokens):
        cells[f"w{i}"] = (_text if columns.text else _symbol)(*raw(name))
    if columns.target is not None:
        cells["y"] = _label(*raw(columns.target), nulls, reasons.NO_LABEL)
    outer["split"] = text(reasons.UNUSED if given is None else given)
    if columns.split is not None:
        cells["split"] = _split(*raw(columns.split), nulls, split)
    outer |= {name: cell.value for name, cell in cells.items()}
    outer["reason"] = _first_bad(cells, [cell.reason for cell in cells.values()])
    outer["place"] = _first_bad(cells, [text(cell.column) for cell in cells.values()])
    outer["raw"] = _first_bad(cells, [f"{cell.raw}::VARCHAR" for cell in cells.values()])
    order = ("sequence", "step", *columns.kept, "split", "reason", "place", "raw")
    selected = ", ".join(f"{outer[name]} AS {name}" for name in order)
    return f"SELECT {part} AS part, record, {selected} FROM {relation}"


def _first_bad(cells: Mapping[str, Cell], then: list[str]) -> str:
    whens = [
        f"WHEN NOT coalesce({cell.good}, false) THEN {sql}"
        for cell, sql in zip(cells.values(), then, strict=True)
    ]
    return f"CASE {' '.join(whens)} END"


def _number(column: str, c: str, type_: str, nulls: str) -> Cell:
    cell = number_cell(column, c, type_, nulls)
    # What is good there and no number is missing, which a series may be and a sequence not.
    reason = f"CASE WHEN {cell.good} THEN {text(reasons.NO_NUMBER)} ELSE {cell.reason} END"
    return Cell(column, c, cell.value, f"({cell.value}) IS NOT NULL", reason)


def _step(column: str, c: str, type_: str, nulls: str) -> Cell:
    if type_ != "VARCHAR" and type_ not in NUMBERS and not type_.startswith("DECIMAL"):
        raise BadInputError(
            f"data.step: column {column!r} has the type {type_}; expected numbers that order the "
            "rows of a sequence"
        )
    number = f"try_cast({c} AS DOUBLE)"
    absent = f"{c} IS NULL" + (f" OR trim({c}) IN ({nulls})" if type_ == "VARCHAR" else "")
    reason = f"CASE WHEN {absent} THEN {text(reasons.NO_STEP)} ELSE {text(reasons.BAD_STEP)} END"
    return Cell(column, c, number, f"isfinite({number})", reason)


def _symbol(column: str, c: str, type_: str) -> Cell:
    value = as_text(c, type_)
    return Cell(column, c, value, f"{value} <> ''", _absent(c, value, reasons.NO_SYMBOL))


def _text(column: str, c: str, type_: str) -> Cell:
    value = as_text(c, type_)
    good = f"NOT regexp_full_match({value}, {text(EMPTY)})"
    return Cell(column, c, value, good, _absent(c, value, reasons.NO_TEXT))


def _absent(c: str, value: str, reason: str) -> str:
    # Bytes that are no text are there, but give no value.
    return (
        f"CASE WHEN {c} IS NOT NULL AND {value} IS NULL THEN {text(rejects.ENCODING)} "
        f"ELSE {text(reason)} END"
    )


def _label(column: str, c: str, type_: str, nulls: str, reason: str) -> Cell:
    value = nulled(as_text(c, type_), nulls)
    return Cell(column, c, value, f"({value}) IS NOT NULL", text(reason))


def _split(column: str, c: str, type_: str, nulls: str, split: SequenceSplitConfig) -> Cell:
    cell = _label(column, c, type_, nulls, reasons.NO_SPLIT)
    whens = " ".join(
        f"WHEN trim({cell.value}) IN ({', '.join(map(text, values))}) THEN {text(name)}"
        for name, values in split.values().items()
    )
    value = f"CASE {whens} ELSE {text(reasons.UNUSED)} END"
    return Cell(column, c, value, cell.good, cell.reason)
