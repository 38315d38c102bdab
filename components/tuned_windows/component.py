"""TFX component of the node `tuned_windows`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from components.source_digest import source_digest
from components.tuned_windows.executor import TunedWindowsExecutor

SOURCES = (
    "components/tune/candidate.py",
    "components/tune/coding.py",
    "components/tune/result.py",
    "components/tuned_windows",
    "models/section.py",
    "models/windows",
)


class TunedWindowsSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"source_digest": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {
        "windows": ChannelParameter(type=Windows),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
    }
    # Not "windows": the arguments of a spec are inputs and outputs in one name space.
    OUTPUTS: ClassVar[dict[str, Any]] = {"tuned": ChannelParameter(type=Windows)}


class TunedWindowsComponent(BaseComponent):
    """Finds the windows of the definition that tuning has chosen, in series laid out before."""

    SPEC_CLASS = TunedWindowsSpec
    EXECUTOR_SPEC = ExecutorClassSpec(TunedWindowsExecutor)


def tuned_windows(windows: BaseChannel, hyperparameters: BaseChannel) -> TunedWindowsComponent:
    """The node `tuned_windows`, for a search space with keys of windows.

    Args:
        windows: Channel of Windows, of the configuration's own definition.
        hyperparameters: Channel of HyperParameters from `tune`.

    Returns:
        A component whose `outputs["tuned"]` everything after it takes in place of `windows`.
    """
    spec = TunedWindowsSpec(
        windows=windows,
        hyperparameters=hyperparameters,
        tuned=Channel(type=Windows),
        source_digest=source_digest(*SOURCES),
    )
    return TunedWindowsComponent(spec=spec).with_id("tuned_windows")
