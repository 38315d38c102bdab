"""What the node `backtest` of a sequence task is told, as one parameter."""

from __future__ import annotations

from components.sequence_backtest.config import SequenceGateConfig
from models.section import Section


class SequenceBacktestSettings(Section):
    """The gate, and whether the model that is served has to read sequences step by step."""

    gate: SequenceGateConfig = SequenceGateConfig()
    streaming: bool = False
