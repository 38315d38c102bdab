"""Nodes that stand in for windows, statistics and train, for tests of the nodes behind them.

TFX finds executors by their import path, so they cannot live inside a test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import Channel, ComponentSpec, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import Windows
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.stores import make_store, scaling_of


def store_of_waves() -> SeriesStore:
    t = np.arange(240)
    y = np.sin(t / 5) + np.random.default_rng(1).normal(size=240) / 2
    return make_store([("", 0, y)], WindowSpec(lookback=8, horizon=3), (120, 160, 240))


class WindowsExecutor(BaseExecutor):
    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        store_of_waves().save(Path(output_dict["out"][0].uri))


class StatisticsExecutor(BaseExecutor):
    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        moments = scaling_of(store_of_waves())["y0"]
        proto = statistics_pb2.DatasetFeatureStatisticsList()
        feature = proto.datasets.add().features.add()
        feature.path.step.append("y0")
        feature.num_stats.mean, feature.num_stats.std_dev = moments.mean, moments.std
        feature.num_stats.common_stats.num_non_missing = 120
        artifact = output_dict["out"][0]
        artifact.split_names = json.dumps(["train"])
        folder = Path(artifact.uri) / "Split-train"
        folder.mkdir(parents=True)
        (folder / "FeatureStats.pb").write_bytes(proto.SerializeToString())


class ModelExecutor(BaseExecutor):
    """The "SavedModel" holds the size of the noise that the fake forecaster adds."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        folder = Path(output_dict["out"][0].uri) / "Format-Serving"
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(exec_properties["error"])


class WindowsSpec(ComponentSpec):
    PARAMETERS: ClassVar[dict[str, Any]] = {}
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {"out": ChannelParameter(type=Windows)}


class StatisticsSpec(ComponentSpec):
    PARAMETERS: ClassVar[dict[str, Any]] = {}
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "out": ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }


class ModelSpec(ComponentSpec):
    PARAMETERS: ClassVar[dict[str, Any]] = {"error": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {"out": ChannelParameter(type=standard_artifacts.Model)}


class WindowsNode(BaseComponent):
    SPEC_CLASS = WindowsSpec
    EXECUTOR_SPEC = ExecutorClassSpec(WindowsExecutor)


class StatisticsNode(BaseComponent):
    SPEC_CLASS = StatisticsSpec
    EXECUTOR_SPEC = ExecutorClassSpec(StatisticsExecutor)


class ModelNode(BaseComponent):
    SPEC_CLASS = ModelSpec
    EXECUTOR_SPEC = ExecutorClassSpec(ModelExecutor)


def nodes(error: float) -> tuple[Any, Any, Any]:
    """The three nodes; each has the output `out`."""
    windows = WindowsNode(spec=WindowsSpec(out=Channel(type=Windows)))
    statistics = StatisticsNode(
        spec=StatisticsSpec(out=Channel(type=standard_artifacts.ExampleStatistics))
    )
    train = ModelNode(spec=ModelSpec(error=str(error), out=Channel(type=standard_artifacts.Model)))
    return windows.with_id("windows"), statistics.with_id("statistics"), train.with_id("train")
