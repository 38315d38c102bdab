"""What the node `backtest` of a sequence task is told, as one parameter."""

from __future__ import annotations

from components.sequence_backtest.config import SequenceGateConfig
from models.section import Section


class SequenceBacktestSettings(Section):
    """The gate."""

    gate: SequenceGateConfig = SequenceGateConfig()
