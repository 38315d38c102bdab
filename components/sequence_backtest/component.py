"""TFX component of the node `backtest` of a sequence task."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Baselines, Windows
from components.sequence_backtest.config import SequenceGateConfig
from components.sequence_backtest.executor import SequenceBacktestExecutor
from components.sequence_backtest.settings import SequenceBacktestSettings
from components.source_digest import source_digest

SOURCES = (
    "components/backtest",
    "components/sequence_backtest",
    "components/sequence_baselines/stored.py",
    "models/errors.py",
    "models/export",
    "models/metrics",
    "models/section.py",
    "models/sequence_baselines/config.py",
    "models/sequences",
)


class SequenceBacktestSpec(ComponentSpec):
    """Inputs, outputs and parameters of the node."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "champion": ExecutionParameter(type=str),
        "source_digest": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "windows": ChannelParameter(type=Windows),
        "baselines": ChannelParameter(type=Baselines),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "winner": ChannelParameter(type=standard_artifacts.Model),
    }


class SequenceBacktestComponent(BaseComponent):
    """Scores the network against baselines and champion, and blesses it, a baseline in its place,
    or nothing.
    """

    SPEC_CLASS = SequenceBacktestSpec
    EXECUTOR_SPEC = ExecutorClassSpec(SequenceBacktestExecutor)


def sequence_backtest(
    model: BaseChannel,
    sequences: BaseChannel,
    baselines: BaseChannel,
    *,
    gate: SequenceGateConfig,
    champion: str,
    streaming: bool = False,
) -> SequenceBacktestComponent:
    """The node `backtest` of a sequence task.

    Args:
        model: Channel of Model, the network.
        sequences: Channel of Windows that holds a `SequenceStore`.
        baselines: Channel of Baselines of the same sequences.
        gate: When a model is good enough.
        champion: JSON with `version`, `path` and `digest` of the live model, or empty.
        streaming: Whether the model that is served has to read sequences step by step.

    Returns:
        A component with the outputs `evaluation`, `blessing` and `winner`: the Model that the
        blessing is about, or the network where nothing is blessed; its custom property `source` is
        `candidate` or the baseline's name.
    """
    settings = SequenceBacktestSettings(gate=gate, streaming=streaming)
    spec = SequenceBacktestSpec(
        model=model,
        windows=sequences,
        baselines=baselines,
        evaluation=Channel(type=standard_artifacts.ModelEvaluation),
        blessing=Channel(type=standard_artifacts.ModelBlessing),
        winner=Channel(type=standard_artifacts.Model),
        config=settings.canonical_json(),
        champion=champion,
        source_digest=source_digest(*SOURCES),
    )
    return SequenceBacktestComponent(spec=spec).with_id("backtest")
