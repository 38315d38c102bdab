"""Where sequences are, how to read them, and how they are split."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from components.ingest.config import DataConfig
from models.errors import BadInputError
from models.section import Section
from models.sequences.spec import LENGTH, SequenceSpec

SEQUENCE = "sequence"
"""The column of the Examples that holds the id, whatever the data calls it."""


class SplitFiles(Section):
    """A file or glob for each split."""

    train: str = Field(description="file or glob of the train split")
    validation: str | None = Field(default=None, description="null: a share of train")
    test: str | None = Field(default=None, description="null: a share of train")


class SequenceDataConfig(Section):
    """The source table: a row for every step of a sequence, or a row for every text."""

    path: str | SplitFiles = Field(
        description="file or glob (CSV(.gz), Parquet, JSON lines), or one for each split: "
        "{train: a.csv, validation: b.csv, test: c.csv}"
    )
    format: Literal["auto", "csv", "parquet", "jsonl"] = Field(
        default="auto", description="how files are read; auto: by their ending"
    )
    delimiter: str = Field(default="auto", description="CSV field separator, or auto")
    quote: Literal["auto", "double", "none"] = Field(
        default="auto",
        description='whether " encloses CSV fields; auto: not where tabs separate them',
    )
    header: bool = Field(
        default=True,
        description="whether the first CSV line names the columns; else c1, c2, ...",
    )
    null_values: tuple[str, ...] = Field(
        default=DataConfig.model_fields["null_values"].default,
        description="texts that mean a missing number, id or label; symbols and texts are taken "
        "as they are, and missing only where they are empty",
    )
    sequence: str | None = Field(
        default=None, description="column of sequence ids; null: every row is a sequence"
    )
    step: str | None = Field(
        default=None,
        description="number column that orders the rows of a sequence; null: as they come",
    )
    on_bad_rows: Literal["fail", "drop"] = Field(
        default="fail",
        description="end the run at bad rows, or drop, count and list them and the rest of their "
        "sequences",
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if value != "auto" and len(value) != 1:
            raise ValueError(f"expected one character or auto, got {value!r}")
        return value

    @model_validator(mode="after")
    def _steps_of_something(self) -> SequenceDataConfig:
        if self.step is not None and self.sequence is None:
            raise ValueError(
                f"step {self.step!r} orders the rows of a sequence, so sequence must name the "
                "column of their ids"
            )
        if self.step is not None and self.step == self.sequence:
            raise ValueError(f"column {self.step!r} cannot be both sequence and step")
        return self


class SequenceSplitConfig(Section):
    """Split into train, validation and test, always of whole sequences.

    `hash` goes by a digest of the id and the seed: a sequence keeps its split when others come
    or go (but for a few at the margin). With `classify` every class has its share in every split.
    """

    by: Literal["hash", "column", "files"] = Field(
        default="hash",
        description="hash: of the sequence's id; column: by the value of a column; files: "
        "data.path has a file for each split",
    )
    column: str | None = Field(default=None, description="with column: the column to go by")
    train: tuple[str | int, ...] | None = Field(
        default=None, description="with column: its values that mean train"
    )
    validation: float | tuple[str | int, ...] = Field(
        default=0.15,
        description="hash: share of all sequences (0 < x < 1); column: values; files: share of "
        "train where there is no file",
    )
    test: float | tuple[str | int, ...] = Field(default=0.15, description="as validation")
    seed: int = Field(default=7, ge=0, description="of the hash")

    @model_validator(mode="after")
    def _fits(self) -> SequenceSplitConfig:
        if self.by != "column":
            if self.column is not None or self.train is not None:
                raise ValueError(f"column and train belong to by: column, got by: {self.by}")
            self._shares()
            return self
        if self.column is None:
            raise ValueError("by: column needs column, the name of the column to go by")
        seen: set[str] = set()
        for name in ("train", "validation", "test"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not values:
                raise ValueError(
                    f"by: column needs {name}, the values of {self.column!r} that mean {name}, "
                    f"as a list, got {values!r}"
                )
            twice = seen & set(map(str, values))
            if twice:
                raise ValueError(f"the value {min(twice)!r} is in two splits")
            seen |= set(map(str, values))
        return self

    def _shares(self) -> None:
        shares = []
        for name in ("validation", "test"):
            share = getattr(self, name)
            if isinstance(share, tuple) or not 0 < share < 1:
                raise ValueError(
                    f"{name}: by: {self.by} takes a share between 0 and 1, got {share!r}"
                )
            shares.append(share)
        if sum(shares) >= 1:
            raise ValueError(
                f"validation {shares[0]} and test {shares[1]} leave nothing to train on"
            )

    def values(self) -> dict[str, tuple[str, ...]]:
        """With `by: column`, the values of each split as text."""
        return {
            name: tuple(str(value) for value in getattr(self, name))
            for name in ("train", "validation", "test")
        }


def check_sequences(
    data: SequenceDataConfig, split: SequenceSplitConfig, spec: SequenceSpec
) -> None:
    """Checks that the three sections fit together.

    Raises:
        BadInputError: If they do not.
    """
    files = isinstance(data.path, SplitFiles)
    if files != (split.by == "files"):
        raise BadInputError(
            "split.by: files needs data.path as a file for each split, {train: ..., "
            f"validation: ..., test: ...}}, and only then; got split.by: {split.by} and "
            f"data.path {'for each split' if files else repr(data.path)}"
        )
    if data.sequence is None and spec.inputs.text is None:
        raise BadInputError(
            "data.sequence is null, so that every row is a sequence, of one step; name the column "
            "of sequence ids, or a column of texts as inputs.text"
        )
    if data.step is not None and spec.inputs.text is not None:
        raise BadInputError(
            f"data.step {data.step!r}: a text is one row and has no steps; remove it"
        )
    used = (*spec.inputs.columns, *(() if spec.target is None else (spec.target,)))
    parts = (("data.sequence", data.sequence), ("split.column", split.column))
    for part, name in parts:
        if name is not None and name in used:
            raise BadInputError(
                f"column {name!r} is {part} and cannot be an input or the target too"
            )
    if data.step is not None and data.step == spec.target:
        raise BadInputError(f"column {data.step!r} is data.step and cannot be the target too")
    for name in used:
        if name in (SEQUENCE, LENGTH):
            raise BadInputError(f"no input or target can be called {name!r}: rename the column")
