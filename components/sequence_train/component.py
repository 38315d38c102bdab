"""TFX component of the node `train` of a sequence task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from components.sequence_train.executor import SequenceTrainExecutor
from components.sequence_train.settings import SequenceTrainSettings
from components.source_digest import source_digest
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig

SOURCES = (
    "components/backtest/champion.py",
    "components/sequence_train",
    "components/train/artifact.py",
    "components/train/figures.py",
    "components/train/flow_figures.py",
    "components/train/warm_start.py",
    "models/cells",
    "models/errors.py",
    "models/export",
    "models/features",
    "models/network",
    "models/section.py",
    "models/sequences",
    "models/training",
    "models/windows/store.py",
)


class SequenceTrainSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {"windows": ChannelParameter(type=Windows)}
    OUTPUTS: ClassVar[dict[str, Any]] = {"model": ChannelParameter(type=standard_artifacts.Model)}


class SequenceTrainComponent(BaseComponent):
    """Fits the network and exports it."""

    SPEC_CLASS = SequenceTrainSpec
    EXECUTOR_SPEC = ExecutorClassSpec(SequenceTrainExecutor)


def sequence_trainer(
    windows: BaseChannel,
    *,
    model: SequenceModelConfig,
    train: SequenceTrainConfig,
    config_digest: str,
    data: Mapping[str, Any] | None = None,
    champion: str = "",
) -> SequenceTrainComponent:
    """The node `train`.

    Args:
        windows: Channel of Windows that hold a `SequenceStore`. Moments are taken from its train
            split.
        model: The network.
        train: Its training.
        config_digest: Of what the model depends on; goes into the model's metadata.
        data: How the raw rows are written, as JSON has it; goes into the model's metadata.
        champion: JSON with `version`, `path` and `digest` of the live model, or empty; used, and
            part of the cache's key, only with `train.warm_start`.

    Returns:
        A component with the output `model`.
    """
    spec = SequenceTrainSpec(
        windows=windows,
        model=Channel(type=standard_artifacts.Model),
        config=SequenceTrainSettings(
            model=model,
            train=train,
            config_digest=config_digest,
            data=None if data is None else dict(data),
            champion=champion if train.warm_start else "",
        ).canonical_json(),
        source_digest=source_digest(*SOURCES),
    )
    return SequenceTrainComponent(spec=spec).with_id("train")
