"""What the node `train` is told, as one parameter."""

from __future__ import annotations

from models.history.recipe import RawData
from models.network.config import ModelConfig
from models.section import Section
from models.training.config import TrainConfig


class TrainSettings(Section):
    """The network, its training, and for elman.json the raw data and the configuration's digest."""

    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    config_digest: str = ""
    data: RawData | None = None
