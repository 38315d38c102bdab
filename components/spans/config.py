"""`data.spans`: which pieces of the data a run takes, and what becomes of bad ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from components.spans.period import period_problem
from models.section import Section


class SpansConfig(Section):
    """Data that arrives in pieces, each of which is ingested and checked once.

    Either `data.path` holds `{SPAN}` (a number) or `{YYYY}`, `{MM}` and `{DD}`, and perhaps
    `{VERSION}`; or `period` cuts a growing file or table by time.
    """

    keep: int | None = Field(
        default=None, ge=1, description="newest spans to train on; null: all there are"
    )
    period: str | None = Field(
        default=None,
        min_length=1,
        description="length of a span of a growing file or table: h, D, W, M, Q, Y; null: the "
        "path names the spans",
    )
    late: int = Field(
        default=1,
        ge=0,
        description="periods before the newest known one that a database is asked for again, for "
        "late rows; files are looked through whole",
    )
    on_blocked: Literal["stop", "skip"] = Field(
        default="stop",
        description="a span with bad rows or a broken schema ends the run, or is left out and "
        "named every night until it is corrected",
    )

    @field_validator("period")
    @classmethod
    def _is_period(cls, value: str | None) -> str | None:
        if value is not None and (problem := period_problem(value)):
            raise ValueError(problem)
        return value
