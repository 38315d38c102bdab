"""The serving check as a TFX node."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.serving_check.executor import Executor
from components.source_digest import source_digest


class ServingCheckSpec(types.ComponentSpec):
    """`model` in, `blessing` out, re-run when the code of the check changes."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"source_digest": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {"model": ChannelParameter(type=standard_artifacts.Model)}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)
    }


class ServingCheck(base_component.BaseComponent):
    """Loads the exported model in a fresh CPU process and compares its answers."""

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)


def serving_check(model: types.BaseChannel) -> ServingCheck:
    """The node `serving_check`.

    Args:
        model: Channel of a Model artifact as `train` makes it.

    Returns:
        A component whose `outputs["blessing"]` is an InfraBlessing.
    """
    spec = ServingCheckSpec(
        model=model,
        blessing=types.Channel(type=standard_artifacts.InfraBlessing),
        source_digest=source_digest("components/serving_check"),
    )
    return ServingCheck(spec=spec).with_id("serving_check")
