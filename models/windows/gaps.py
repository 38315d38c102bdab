"""`GapsConfig`: what is done about missing steps, in training and wherever windows are made."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.section import Section

Fill = Literal["linear", "previous", "mean"]


class GapsConfig(Section):
    """What to do about missing steps: holes up to `max` steps are filled, longer ones split."""

    max: int = Field(default=0, ge=0, description="longest hole that is filled, in steps")
    fill: Fill = Field(
        default="linear",
        description="between neighbours in a straight line, the last value, or the train mean",
    )
