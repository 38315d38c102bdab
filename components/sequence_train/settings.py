"""What the node `train` of a sequence task is told, as one parameter."""

from __future__ import annotations

from typing import Any

from models.section import Section
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig


class SequenceTrainSettings(Section):
    """The network, its training, and for elman.json the raw data and the configuration's digest."""

    model: SequenceModelConfig = SequenceModelConfig()
    train: SequenceTrainConfig = SequenceTrainConfig()
    config_digest: str = ""
    data: dict[str, Any] | None = None
