"""What the node `train` is told, as one parameter."""

from __future__ import annotations

from models.network.config import ModelConfig
from models.section import Section
from models.training.config import TrainConfig


class TrainSettings(Section):
    """The network, its training, and the digest of the whole configuration (for elman.json)."""

    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    config_digest: str = ""
