"""When a model is good enough, as configured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.baselines.config import BaselineName
from models.section import Section


class GateConfig(Section):
    """A candidate is blessed if its `metric` on the test windows is below that of every baseline
    in `beats` and of the champion, each by at least the share `margin` (0.01 is one per cent).

    With `bless: best` a baseline can be blessed in place of a network that fails: the best one that
    can be served and that the network does not beat, if it beats the champion.

    `mae_scaled` and `mse_scaled` are in standard deviations of each target on the train rows: with
    targets of different sizes, natural units would let the largest one decide alone.
    """

    metric: Literal["mae", "rmse", "mse", "mase", "smape", "mae_scaled", "mse_scaled"] = Field(
        default="mae", description="what the gate compares, over all test windows"
    )
    beats: tuple[BaselineName, ...] = Field(
        default=("seasonal_naive", "ar"), description="baselines that the model has to beat"
    )
    margin: float = Field(default=0.0, ge=0, lt=1, description="share by which it has to beat them")
    champion: bool = Field(default=True, description="whether it has to beat the serving model too")
    significance: float | None = Field(
        default=None, gt=0, lt=1, description="null: the paired test is reported, not required"
    )
    bless: Literal["best", "model"] = Field(
        default="best",
        description="best: the best baseline, where the network fails the gate; model: only the "
        "network",
    )
