"""What the node `train` is told, as one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from components.tune.candidate import Candidate
from components.tune.config import WINDOW
from models.export.engines import EngineName
from models.history.recipe import RawData
from models.network.config import ModelConfig
from models.section import Section
from models.training.config import TrainConfig
from models.windows.spec import WindowSpec


class TrainSettings(Section):
    """The network, its training, and for elman.json the raw data and the configuration's digest.

    `champion` is JSON of the live model where the training may begin with its weights, else empty;
    then it is left out of the JSON, and no part of the cache's key. So is `engine` where it is
    TensorFlow, which needs no file beside the SavedModel.
    """

    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    config_digest: str = ""
    data: RawData | None = None
    engine: EngineName = Field(default="tensorflow", exclude_if=lambda value: value == "tensorflow")
    champion: str = Field(default="", exclude_if=lambda value: not value)

    def tuned(self, spec: WindowSpec, values: Mapping[str, Any]) -> TrainSettings:
        """These settings with the values that tuning has found.

        Args:
            spec: Of the windows that are trained on, which have the tuned lookback already.
            values: By dotted key, such as `model.units`; those of windows are passed over.

        Raises:
            BadInputError: If they do not fit together.
        """
        mine = {key: value for key, value in values.items() if not key.startswith(WINDOW)}
        candidate = Candidate(window=spec, model=self.model, train=self.train).with_values(mine)
        return self.model_copy(update={"model": candidate.model, "train": candidate.train})
