"""TFX component of the node `backtest`."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import BaseChannel, Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Baselines, Windows
from components.backtest.config import GateConfig
from components.backtest.executor import BacktestExecutor
from components.backtest.settings import BacktestSettings
from components.source_digest import source_digest

SOURCES = (
    "components/backtest",
    "components/baselines/stored.py",
    "components/ingest/report.py",
    "components/monitor/columns.py",
    "components/monitor/profile.py",
    "components/monitor/reference.py",
    "components/validation/moments.py",
    "components/windows/examples.py",
    "models/baselines",
    "models/errors.py",
    "models/export",
    "models/features/scaling.py",
    "models/frequency.py",
    "models/metrics",
    "models/roles.py",
    "models/section.py",
    "models/windows",
)


class BacktestSpec(ComponentSpec):
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
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "winner": ChannelParameter(type=standard_artifacts.Model),
    }


class BacktestComponent(BaseComponent):
    """Scores the candidate against baselines and champion, and blesses it, a baseline in its place,
    or nothing.
    """

    SPEC_CLASS = BacktestSpec
    EXECUTOR_SPEC = ExecutorClassSpec(BacktestExecutor)


def backtest(
    model: BaseChannel,
    windows: BaseChannel,
    baselines: BaseChannel,
    statistics: BaseChannel,
    *,
    gate: GateConfig,
    season: int | None,
    champion: str,
    streaming: bool = False,
    examples: BaseChannel | None = None,
) -> BacktestComponent:
    """The node `backtest`.

    Args:
        model: Channel of Model, the candidate.
        windows: Channel of Windows.
        baselines: Channel of Baselines of the same windows.
        statistics: Channel of ExampleStatistics, for the moments of the train split.
        gate: When a candidate is good enough.
        season: Steps in a season, for MASE; None: from the frequency.
        champion: JSON with `version`, `path` and `digest` of the live model, or empty.
        streaming: Whether the model that is served has to read series step by step.
        examples: Channel of Examples; given, the winner keeps the distribution of its training rows
            and its errors beside it, for the monitor.

    Returns:
        A component with the outputs `evaluation`, `blessing` and `winner`: the Model that the
        blessing is about, or the candidate where nothing is blessed; its custom property `source`
        is `candidate` or the baseline's name.
    """
    spec = BacktestSpec(
        model=model,
        windows=windows,
        baselines=baselines,
        statistics=statistics,
        **({} if examples is None else {"examples": examples}),
        evaluation=Channel(type=standard_artifacts.ModelEvaluation),
        blessing=Channel(type=standard_artifacts.ModelBlessing),
        winner=Channel(type=standard_artifacts.Model),
        config=BacktestSettings(gate=gate, season=season, streaming=streaming).canonical_json(),
        champion=champion,
        source_digest=source_digest(*SOURCES),
    )
    return BacktestComponent(spec=spec).with_id("backtest")
