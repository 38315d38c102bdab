"""What the node `train` of a sequence task is told, as one parameter."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from models.section import Section
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig


class SequenceTrainSettings(Section):
    """The network, its training, and for elman.json the raw data and the configuration's digest.

    `champion` is JSON of the live model where the training may begin with its weights, else empty;
    then it is left out of the JSON, and no part of the cache's key.
    """

    model: SequenceModelConfig = SequenceModelConfig()
    train: SequenceTrainConfig = SequenceTrainConfig()
    config_digest: str = ""
    data: dict[str, Any] | None = None
    champion: str = Field(default="", exclude_if=lambda value: not value)
