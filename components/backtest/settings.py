"""What the node `backtest` is told, as one parameter."""

from __future__ import annotations

from pydantic import Field

from components.backtest.config import GateConfig
from models.section import Section


class BacktestSettings(Section):
    """The gate, the season of MASE (null: from the frequency), and whether the model that is served
    has to read series step by step.
    """

    gate: GateConfig = GateConfig()
    season: int | None = Field(default=None, ge=1)
    streaming: bool = False
