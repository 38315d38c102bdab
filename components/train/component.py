"""TFX component of the node `train`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from components.source_digest import source_digest
from components.train.executor import TrainExecutor
from components.train.settings import TrainSettings
from models.export.engines import EngineName
from models.history.recipe import RawData
from models.network.config import ModelConfig
from models.training.config import TrainConfig

SOURCES = (
    "components/backtest/champion.py",
    "components/train",
    "components/tune/candidate.py",
    "components/tune/coding.py",
    "components/tune/result.py",
    "components/validation/moments.py",
    "models/cells",
    "models/errors.py",
    "models/export",
    "models/features",
    "models/frequency.py",
    "models/heads",
    "models/history/recipe.py",
    "models/network",
    "models/roles.py",
    "models/section.py",
    "models/training",
    "models/windows",
)


class TrainSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "windows": ChannelParameter(type=Windows),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
    }


class TrainComponent(BaseComponent):
    """Fits the network and exports it."""

    SPEC_CLASS = TrainSpec
    EXECUTOR_SPEC = ExecutorClassSpec(TrainExecutor)


def trainer(
    windows: BaseChannel,
    statistics: BaseChannel,
    *,
    model: ModelConfig,
    train: TrainConfig,
    config_digest: str,
    data: RawData | None = None,
    champion: str = "",
    hyperparameters: BaseChannel | None = None,
    engine: EngineName = "tensorflow",
) -> TrainComponent:
    """The node `train`.

    Args:
        windows: Channel of Windows.
        statistics: Channel of ExampleStatistics, for the moments of the train split.
        model: The network.
        train: Its training.
        config_digest: Of what the model depends on; goes into the model's metadata.
        data: How the raw rows are written, so that a client can make windows of such rows; goes
            into the model's metadata.
        champion: JSON with `version`, `path` and `digest` of the live model, or empty; used, and
            part of the cache's key, only with `train.warm_start`.
        hyperparameters: Channel of HyperParameters from `tune`, whose values take the place of
            those of `model` and `train`; None: there is no search.
        engine: For which a file is written beside the SavedModel.

    Returns:
        A component with the output `model`.
    """
    spec = TrainSpec(
        windows=windows,
        statistics=statistics,
        hyperparameters=hyperparameters,
        model=Channel(type=standard_artifacts.Model),
        config=TrainSettings(
            model=model,
            train=train,
            config_digest=config_digest,
            data=data,
            engine=engine,
            champion=champion if train.warm_start else "",
        ).canonical_json(),
        source_digest=source_digest(*SOURCES),
    )
    return TrainComponent(spec=spec).with_id("train")
