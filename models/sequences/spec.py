"""`SequenceSpec`: what a sequence holds and what is learned of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from models.section import Section

Task = Literal["classify", "tag", "next_step"]
UNKNOWN = "[UNK]"
"""Stands for every symbol that is not in the vocabulary."""
LENGTH = "length"
"""The input that says how many steps of a padded sequence count, int32 [batch]."""


class SequenceInputs(Section):
    """The columns that a model reads.

    `numbers` and `symbols` have one value at every step of a sequence; `text` is one string for the
    whole sequence, cut into symbols inside the graph. Symbols are looked up in a vocabulary that
    is learned on the train split alone; all others are one unknown symbol.
    """

    numbers: tuple[str, ...] = Field(default=(), description="number columns, a value per step")
    symbols: tuple[str, ...] = Field(default=(), description="string columns, a symbol per step")
    text: str | None = Field(default=None, description="string column, one text per sequence")
    split: Literal["whitespace", "words", "characters"] = Field(
        default="whitespace",
        description="how a text is cut: at white space; into runs of letters and digits and single "
        "other characters; or into characters",
    )
    lowercase: bool = Field(default=False, description="text and symbols in lower case")
    vocabulary: int = Field(
        default=20_000, ge=1, description="most symbols known of each column, the frequent first"
    )
    min_count: int = Field(
        default=1, ge=1, description="occurrences in the train split that make a symbol known"
    )

    @model_validator(mode="after")
    def _something_once(self) -> SequenceInputs:
        names = self.columns
        if not names:
            raise ValueError("name at least one column: numbers, symbols or text")
        if self.text is not None and (self.numbers or self.symbols):
            raise ValueError(
                "text is one string for a whole sequence and stands alone; to mix words with "
                "other columns, write a row per word and list its column under symbols"
            )
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"column {name!r} is listed twice")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns: numbers, symbols, text."""
        return self.numbers + self.tokens

    @property
    def tokens(self) -> tuple[str, ...]:
        """The columns that are sequences of symbols, those of a text included."""
        return self.symbols + ((self.text,) if self.text is not None else ())


class SequenceSpec(Section):
    """A task over whole sequences.

    `classify` learns one label for each sequence, `tag` one for every step, `next_step` the symbol
    that follows each one: its labels are the inputs shifted by one.
    """

    task: Task
    inputs: SequenceInputs
    target: str | None = Field(default=None, description="column of labels; next_step has none")

    @model_validator(mode="after")
    def _fits(self) -> SequenceSpec:
        if self.task == "next_step":
            if self.target is not None:
                raise ValueError(
                    f"next_step learns the symbols themselves and has no target, got "
                    f"{self.target!r}; remove it"
                )
            if len(self.inputs.tokens) != 1 or self.inputs.numbers:
                raise ValueError(
                    "next_step reads one column, of symbols or text, got "
                    f"{list(self.inputs.columns)}"
                )
        elif self.target is None:
            raise ValueError(f"{self.task} needs a target, the column of labels")
        elif self.target in self.inputs.columns:
            raise ValueError(f"the target {self.target!r} is also an input; a model would copy it")
        if self.task == "tag" and self.inputs.text is not None:
            raise ValueError(
                "tag needs a label for every symbol, so the data has a row per symbol: list the "
                "column under symbols, not text"
            )
        return self
