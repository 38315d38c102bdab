"""Where the data is, how to read it, and how time is split."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from components.spans.config import SpansConfig
from components.spans.pattern import SpanPattern, is_span_pattern
from models.section import Section
from models.windows.gaps import GapsConfig

SINCE = "{since}"
"""In `data.query`: the time from which a growing table is read."""


class DataConfig(Section):
    """The source table in long form: a row per time step, a column per variable."""

    path: str | None = Field(
        default=None, description="file or glob: CSV(.gz), Parquet, JSON lines"
    )
    url: str | None = Field(default=None, description="SQLAlchemy URL of a database")
    table: str | None = Field(default=None, description="table or view to read, with url")
    query: str | None = Field(default=None, description="SELECT to read, with url")
    format: Literal["auto", "csv", "parquet", "jsonl"] = Field(
        default="auto", description="how files are read; auto: by their ending"
    )
    delimiter: str = Field(default="auto", description="CSV field separator, or auto")
    null_values: tuple[str, ...] = Field(
        default=("", "NA", "NaN", "nan", "null", "NULL", "None"),
        description="texts that mean a missing value",
    )
    time: str = Field(min_length=1, description="column of time stamps")
    time_format: str | None = Field(default=None, description="strptime format; null: ISO 8601")
    timezone: str = Field(default="UTC", description="zone of time stamps without an offset")
    series: str | None = Field(default=None, description="column of series ids; null: one series")
    frequency: str = Field(
        min_length=1, description="step as a pandas offset alias: h, D, W-SAT, MS"
    )
    gaps: GapsConfig = GapsConfig()
    on_bad_rows: Literal["fail", "drop"] = Field(
        default="fail", description="end the run at bad rows, or drop, count and list them"
    )
    spans: SpansConfig | None = Field(
        default=None, description="data in pieces, each ingested once; see `data.spans` below"
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if value != "auto" and len(value) != 1:
            raise ValueError(f"expected one character or auto, got {value!r}")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> DataConfig:
        if (self.path is None) == (self.url is None):
            got = "both" if self.path is not None else "neither"
            raise ValueError(f"give exactly one of path (files) and url (a database), got {got}")
        if self.url is not None and (self.table is None) == (self.query is None):
            raise ValueError("with url give exactly one of table and query")
        if self.path is not None and (self.table is not None or self.query is not None):
            raise ValueError("table and query belong to url, not to path; remove them")
        return self

    @model_validator(mode="after")
    def _spans_have_a_source(self) -> DataConfig:
        named = self.path is not None and is_span_pattern(self.path)
        bounded = self.query is not None and SINCE in self.query
        if bounded and (self.spans is None or self.spans.period is None):
            raise ValueError(
                f"query holds {SINCE}, the time from which a growing table is read; give "
                "spans.period (such as D), or remove it"
            )
        if self.spans is None:
            if named:
                raise ValueError(
                    f"path {self.path!r} names spans; add the section spans under data "
                    "(spans: {} takes its defaults)"
                )
            return self
        if named and self.spans.period is not None:
            raise ValueError(
                "spans.period cuts a growing file or table by time, but path already names the "
                "spans; remove one of them"
            )
        if named and self.path is not None:
            SpanPattern.parse(self.path)
        if not named and self.spans.period is None:
            what = "path" if self.path is not None else "url"
            raise ValueError(
                f"spans: {what} names no spans; write {{SPAN}} or {{YYYY}}, {{MM}} and {{DD}} into "
                "path, or give spans.period (such as D) to cut a growing source by time"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_absent_spans(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A configuration without spans has the digest that it had before there were any.
        written: dict[str, Any] = handler(self)
        if self.spans is None:
            written.pop("spans", None)
        return written


class SplitConfig(Section):
    """Split of time, before windows: train, then validation, then test.

    Each of `validation` and `test` is a fraction of all time steps (0 < x < 1), a number of
    steps (an integer), and `train` a number of steps or null for all that is left. With `train`
    given, steps after the three splits are not used (the ETT protocol of the literature).
    """

    by: Literal["time"] = Field(default="time", description="what is split")
    train: int | None = Field(default=None, ge=1, description="steps; null: all that is left")
    validation: int | float = Field(
        default=0.15, description="share of all steps (0 < x < 1), or steps"
    )
    test: int | float = Field(default=0.15, description="share of all steps (0 < x < 1), or steps")

    @field_validator("validation", "test")
    @classmethod
    def _fraction_or_steps(cls, value: int | float) -> int | float:
        if isinstance(value, bool) or value <= 0 or (isinstance(value, float) and value >= 1):
            raise ValueError(
                f"expected a fraction between 0 and 1 or a whole number of steps, got {value!r}"
            )
        return value

    @model_validator(mode="after")
    def _leaves_something(self) -> SplitConfig:
        shares = (self.validation, self.test)
        if all(isinstance(share, float) for share in shares) and sum(shares) >= 1:
            raise ValueError(
                f"validation {self.validation} and test {self.test} leave nothing to train on"
            )
        return self
