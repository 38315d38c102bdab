"""What the node `backtest` is told, as one parameter."""

from __future__ import annotations

from pydantic import Field

from components.backtest.config import GateConfig
from models.section import Section


class BacktestSettings(Section):
    """The gate, and the season of MASE (null: from the frequency)."""

    gate: GateConfig = GateConfig()
    season: int | None = Field(default=None, ge=1)
