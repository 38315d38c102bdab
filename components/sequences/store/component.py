"""The node `windows` of a sequence task."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from components.sequences.store.executor import Executor
from components.source_digest import source_digest
from models.sequences.spec import SequenceSpec

SOURCES = (
    "components/sequences/config.py",
    "components/sequences/store",
    "models/section.py",
    "models/sequences/spec.py",
    "models/sequences/store.py",
    "models/sequences/text.py",
    "models/sequences/view.py",
)
"""What the stored sequences depend on."""


class SequencesSpec(types.ComponentSpec):
    """`examples` in, `windows` out; `spec` is JSON of a SequenceSpec."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "spec": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples)
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"windows": ChannelParameter(type=Windows)}


class SequencesComponent(base_component.BaseComponent):
    """Lays sequences end to end and learns vocabulary and classes."""

    SPEC_CLASS = SequencesSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)


def sequences(examples: types.BaseChannel, *, spec: SequenceSpec) -> SequencesComponent:
    """The node `windows` of a sequence task.

    Args:
        examples: Channel of an Examples artifact as the node `ingest` of sequences makes it.
        spec: Columns and task.

    Returns:
        A component whose `outputs["windows"]` is a Windows artifact: a `SequenceStore`.
    """
    component_spec = SequencesSpec(
        examples=examples,
        windows=types.Channel(type=Windows),
        spec=spec.canonical_json(),
        source_digest=source_digest(*SOURCES),
    )
    return SequencesComponent(spec=component_spec).with_id("windows")
