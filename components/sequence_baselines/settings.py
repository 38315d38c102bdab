"""What the node `baselines` of a sequence task is told, as one parameter."""

from __future__ import annotations

from typing import Any

from models.section import Section
from models.sequence_baselines.config import SequenceBaselinesConfig


class SequenceBaselinesSettings(Section):
    """Which baselines, and for their elman.json how the raw rows are written."""

    baselines: SequenceBaselinesConfig = SequenceBaselinesConfig()
    data: dict[str, Any] | None = None
