"""The window stage as a TFX node."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from components.source_digest import source_digest
from components.windows.executor import Executor
from models.frequency import Frequency
from models.roles import Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec

SOURCES = (
    "components/windows",
    "models/frequency.py",
    "models/roles.py",
    "models/section.py",
    "models/windows",
)
"""What the stored windows depend on."""


class WindowsSpec(types.ComponentSpec):
    """`examples` in, `windows` out; `config` is JSON of spec, roles, gaps and frequency."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples)
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"windows": ChannelParameter(type=Windows)}


class WindowsComponent(base_component.BaseComponent):
    """Lays the series out and finds the windows of every split."""

    SPEC_CLASS = WindowsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)


def windows(
    examples: types.BaseChannel,
    *,
    spec: WindowSpec,
    roles: Roles,
    gaps: GapsConfig,
    frequency: str,
) -> WindowsComponent:
    """The node `windows`.

    Args:
        examples: Channel of an Examples artifact as `ingest` makes it.
        spec: The window definition.
        roles: The columns by role.
        gaps: What to do about holes.
        frequency: Step as a pandas offset alias.

    Returns:
        A component whose `outputs["windows"]` is a Windows artifact: a `SeriesStore`.

    Raises:
        BadInputError: If the frequency is unknown.
    """
    config = {
        "spec": spec.model_dump(mode="json"),
        "roles": roles.model_dump(mode="json"),
        "gaps": gaps.model_dump(mode="json"),
        # Canonical, so that two spellings of one frequency share a cache entry.
        "frequency": Frequency.parse(frequency).alias,
    }
    component_spec = WindowsSpec(
        examples=examples,
        windows=types.Channel(type=Windows),
        config=json.dumps(config, sort_keys=True),
        source_digest=source_digest(*SOURCES),
    )
    return WindowsComponent(spec=component_spec).with_id("windows")
