"""TFX component of the node `baselines`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Baselines, Windows
from components.baselines.executor import BaselinesExecutor
from components.baselines.settings import BaselinesSettings
from components.source_digest import source_digest
from models.baselines.config import BaselinesConfig
from models.history.recipe import RawData

SOURCES = (
    "components/baselines",
    "models/baselines",
    "models/errors.py",
    "models/export",
    "models/features/step.py",
    "models/frequency.py",
    "models/history/recipe.py",
    "models/lds",
    "models/network/inputs.py",
    "models/roles.py",
    "models/section.py",
    "models/windows",
)


class BaselinesSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {"windows": ChannelParameter(type=Windows)}
    OUTPUTS: ClassVar[dict[str, Any]] = {"baselines": ChannelParameter(type=Baselines)}


class BaselinesComponent(BaseComponent):
    """Fits the baselines and forecasts every test window."""

    SPEC_CLASS = BaselinesSpec
    EXECUTOR_SPEC = ExecutorClassSpec(BaselinesExecutor)


def baselines(
    windows: BaseChannel, *, config: BaselinesConfig, data: RawData | None = None
) -> BaselinesComponent:
    """The node `baselines`.

    Args:
        windows: Channel of Windows.
        config: Which baselines, and their settings.
        data: How the raw rows are written, for the metadata of the exported baselines.

    Returns:
        A component with the output `baselines`.
    """
    spec = BaselinesSpec(
        windows=windows,
        baselines=Channel(type=Baselines),
        config=BaselinesSettings(baselines=config, data=data).canonical_json(),
        source_digest=source_digest(*SOURCES),
    )
    return BaselinesComponent(spec=spec).with_id("baselines")
