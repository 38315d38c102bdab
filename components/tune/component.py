"""TFX component of the node `tune`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from components.source_digest import source_digest
from components.tune.candidate import Candidate
from components.tune.config import TuneConfig
from components.tune.executor import TuneExecutor
from components.tune.settings import TuneSettings

SOURCES = (
    "components/train/identity.py",
    "components/train/train.py",
    "components/tune",
    "components/validation/moments.py",
    "models/cells",
    "models/errors.py",
    "models/features",
    "models/frequency.py",
    "models/heads",
    "models/network",
    "models/roles.py",
    "models/section.py",
    "models/training",
    "models/windows",
)
"""What the outcome of a trial depends on."""


class TuneSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "windows": ChannelParameter(type=Windows),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
    }


class TuneComponent(BaseComponent):
    """Searches for better values."""

    SPEC_CLASS = TuneSpec
    EXECUTOR_SPEC = ExecutorClassSpec(TuneExecutor)


def tuner(
    windows: BaseChannel, statistics: BaseChannel, *, base: Candidate, tune: TuneConfig
) -> TuneComponent:
    """The node `tune`.

    Args:
        windows: Channel of Windows, of the configuration's own definition.
        statistics: Channel of ExampleStatistics, for the moments of the train split.
        base: The configuration that the search starts from.
        tune: The search.

    Returns:
        A component with the output `hyperparameters`.
    """
    settings = TuneSettings(base=base, tune=tune, order=tuple(tune.space))
    spec = TuneSpec(
        windows=windows,
        statistics=statistics,
        hyperparameters=Channel(type=standard_artifacts.HyperParameters),
        config=settings.canonical_json(),
        source_digest=source_digest(*SOURCES),
    )
    return TuneComponent(spec=spec).with_id("tune")
