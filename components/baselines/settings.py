"""What the node `baselines` is told, as one parameter."""

from __future__ import annotations

from models.baselines.config import BaselinesConfig
from models.history.recipe import RawData
from models.section import Section


class BaselinesSettings(Section):
    """Which baselines, and for their elman.json how the raw rows are written."""

    baselines: BaselinesConfig = BaselinesConfig()
    data: RawData | None = None
