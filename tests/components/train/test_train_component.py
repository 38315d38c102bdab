"""The TFX node: its contract, and what its executor hands on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import channel, standard_artifacts

from components.artifacts import Windows
from components.train import executor
from components.train.component import trainer
from components.train.executor import TrainExecutor
from models.history.recipe import RawData
from models.network.config import ModelConfig
from models.training.config import TrainConfig
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from tests.stores import make_store

TRAIN = TrainConfig(epochs=3)
RAW = RawData(time="when", gaps=GapsConfig(max=3, fill="mean"))


def node(**changes: Any) -> Any:
    given: dict[str, Any] = {"model": ModelConfig(), "train": TRAIN, "config_digest": "d"}
    return trainer(
        channel.Channel(type=Windows),
        channel.Channel(type=standard_artifacts.ExampleStatistics),
        **{**given, **changes},
    )


def test_the_node_and_what_its_cache_depends_on() -> None:
    made = node()
    assert made.id == "train"
    assert made.outputs["model"].type is standard_artifacts.Model
    properties = made.exec_properties
    assert properties == node().exec_properties
    assert properties != node(train=TrainConfig(epochs=4)).exec_properties
    assert len(properties["source_digest"]) == 32


def test_the_champion_is_part_of_the_key_only_with_a_warm_start() -> None:
    champions = [f'{{"version": {n}, "path": "/srv/{n}", "digest": "d"}}' for n in (7, 8)]
    cold = [node(champion=champion).exec_properties for champion in champions]
    assert cold[0] == cold[1] == node().exec_properties
    warm = TRAIN.model_copy(update={"warm_start": True})
    keys = [node(train=warm, champion=champion).exec_properties["config"] for champion in champions]
    assert len({*keys, node(train=warm).exec_properties["config"]}) == 3


def test_an_engine_is_part_of_the_key_because_its_file_is_part_of_the_model() -> None:
    keys = {e: node(engine=e).exec_properties["config"] for e in ("tensorflow", "onnx", "litert")}
    assert keys["tensorflow"] == node().exec_properties["config"]
    assert "engine" not in keys["tensorflow"]
    assert len(set(keys.values())) == 3


def test_the_executor_reads_its_inputs_and_keeps_checkpoints_beside_the_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store([("", 0, np.arange(40.0))], WindowSpec(lookback=3, horizon=2), (20, 30, 40))
    store = replace(store, means={"": (9.5,)})
    store.save(tmp_path / "windows")
    stats = statistics_pb2.DatasetFeatureStatisticsList()
    feature = stats.datasets.add(name="train").features.add()
    feature.path.step.append("y0")
    feature.num_stats.mean, feature.num_stats.std_dev = 9.5, 5.75
    feature.num_stats.common_stats.num_non_missing = 20
    (tmp_path / "statistics/Split-train").mkdir(parents=True)
    (tmp_path / "statistics/Split-train/FeatureStats.pb").write_bytes(stats.SerializeToString())
    artifacts = {
        "windows": Windows(),
        "statistics": standard_artifacts.ExampleStatistics(),
        "model": standard_artifacts.Model(),
    }
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
    artifacts["model"].uri = str(tmp_path / "train" / "model" / "12")
    seen: dict[str, Any] = {}

    def record(store: Any, scaling: Any, model: Any, train: Any, out: Any, **rest: Any) -> None:
        seen.update(rest, store=store, scaling=scaling, model=model, train=train, out=out)

    monkeypatch.setattr(executor, "train_forecaster", record)
    TrainExecutor().Do(
        {name: [artifacts[name]] for name in ("windows", "statistics")},
        {"model": [artifacts["model"]]},
        dict(node(data=RAW, engine="onnx").exec_properties),
    )
    assert seen["train"] == TRAIN
    assert seen["champion"] is None
    assert seen["engine"] == "onnx"
    assert seen["scaling"]["y0"].std == 5.75
    np.testing.assert_array_equal(seen["store"].values, store.values)
    assert seen["out"] == tmp_path / "train" / "model" / "12"
    assert seen["checkpoints"].parent == tmp_path / "train" / "checkpoints"
    assert seen["metadata"]["config_digest"] == "d"
    assert seen["metadata"]["data"] == {
        "time": "when",
        "series": None,
        "timezone": "UTC",
        "time_format": None,
        "gaps": {"max": 3, "fill": "mean"},
        "boundaries": [0, 20 * 3600, 30 * 3600, 40 * 3600],
        "means": {"": [9.5]},
    }
