"""TFX component of the node `baselines` of a sequence task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Baselines, Windows
from components.sequence_baselines.executor import SequenceBaselinesExecutor
from components.sequence_baselines.settings import SequenceBaselinesSettings
from components.source_digest import source_digest
from models.sequence_baselines.config import SequenceBaselinesConfig

SOURCES = (
    "components/baselines/marker.py",
    "components/sequence_baselines",
    "models/errors.py",
    "models/export",
    "models/hmm",
    "models/section.py",
    "models/sequence_baselines",
    "models/sequences/core.py",
    "models/sequences/export",
    "models/sequences/predict.py",
    "models/sequences/predictions.py",
    "models/sequences/spec.py",
    "models/sequences/store.py",
    "models/sequences/text.py",
    "models/sequences/view.py",
    "models/windows/store.py",
)


class SequenceBaselinesSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {"windows": ChannelParameter(type=Windows)}
    OUTPUTS: ClassVar[dict[str, Any]] = {"baselines": ChannelParameter(type=Baselines)}


class SequenceBaselinesComponent(BaseComponent):
    """Fits the baselines, predicts every test sequence and exports the baselines."""

    SPEC_CLASS = SequenceBaselinesSpec
    EXECUTOR_SPEC = ExecutorClassSpec(SequenceBaselinesExecutor)


def sequence_baselines(
    windows: BaseChannel,
    *,
    config: SequenceBaselinesConfig,
    data: Mapping[str, Any] | None = None,
) -> SequenceBaselinesComponent:
    """The node `baselines`.

    Args:
        windows: Channel of Windows that hold a `SequenceStore`.
        config: Which baselines, and their settings.
        data: How the raw rows are written, as JSON has it; goes into the models' metadata.

    Returns:
        A component with the output `baselines`.
    """
    spec = SequenceBaselinesSpec(
        windows=windows,
        baselines=Channel(type=Baselines),
        config=SequenceBaselinesSettings(
            baselines=config, data=None if data is None else dict(data)
        ).canonical_json(),
        source_digest=source_digest(*SOURCES),
    )
    return SequenceBaselinesComponent(spec=spec).with_id("baselines")
