"""When a model is good enough, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.baselines.config import BaselineName
from models.section import Section


class GateConfig(Section):
    """A candidate is blessed if its `metric` on the test windows is below that of every baseline
    in `beats` and of the champion, each by at least the share `margin` (0.01 is one per cent).
    """

    metric: Literal["mae", "rmse", "mse", "mase", "smape"] = "mae"
    beats: tuple[BaselineName, ...] = ("seasonal_naive", "ar")
    margin: float = Field(default=0.0, ge=0, lt=1)
    champion: bool = True
    significance: float | None = Field(
        default=None, gt=0, lt=1, description="null: the paired test is reported, not required"
    )
