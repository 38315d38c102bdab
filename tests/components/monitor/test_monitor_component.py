"""The TFX node, without a metadata store, and its place in the graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import Monitor, Windows
from components.monitor.component import monitor
from components.monitor.config import DriftConfig
from components.monitor.executor import MonitorExecutor
from components.monitor.report import read
from models.roles import Roles
from pipeline import dag
from pipeline.config import loads
from tests.components.monitor.test_monitor import ROLES, first_hours, night

CONFIG = """name: a
workspace: {workspace}
data: {{path: d.csv, time: t, frequency: h}}
targets: [y]
window: {{lookback: 48, horizon: 24}}
"""


def node(**options: Any) -> Any:
    settings = {"drift": DriftConfig(), "roles": ROLES, "metric": "mae", "champion": ""}
    return monitor(
        types.Channel(type=standard_artifacts.Examples),
        types.Channel(type=Windows),
        **{**settings, **options},
    )


def test_parameters_key_the_cache(tmp_path: Path) -> None:
    base = node().exec_properties
    (tmp_path / "a.tfrecord").write_bytes(b"x")
    logged = node(requests=str(tmp_path)).exec_properties
    assert node().exec_properties == base
    for other in (
        {"drift": DriftConfig(steps=9)},
        {"roles": Roles(targets=("z",))},
        {"champion": json.dumps({"version": 1, "path": "/x", "digest": "d"})},
        {"force": True},
        {"requests": str(tmp_path)},
    ):
        assert node(**other).exec_properties != base
    assert node(requests=str(tmp_path)).exec_properties == logged
    (tmp_path / "b.tfrecord").write_bytes(b"y")  # new requests are new input
    assert node(requests=str(tmp_path)).exec_properties != logged


def test_the_executor_leaves_a_report_and_a_decision(tmp_path: Path) -> None:
    examples, _ = night(tmp_path, first_hours(400))
    inputs, out = [standard_artifacts.Examples(), Windows()], Monitor()
    inputs[0].uri, inputs[1].uri = str(examples), str(tmp_path / "windows")
    out.uri = str(tmp_path / "out")
    component = node()
    MonitorExecutor().Do(
        {"examples": [inputs[0]], "windows": [inputs[1]]},
        {"monitor": [out]},
        component.exec_properties,
    )
    assert out.get_string_custom_property("decision") == "go"
    assert read(tmp_path / "out").champion is None


@pytest.mark.parametrize("watched", [True, False])
def test_the_monitor_stands_before_whatever_it_can_hold_back(tmp_path: Path, watched: bool) -> None:
    (tmp_path / "d.csv").write_text("t,y\n2020-01-01,1\n")
    text = CONFIG.format(workspace=tmp_path / "work") + ("drift: {}\n" if watched else "")
    loaded = loads(text, path=tmp_path / "a.yaml")
    components = dag.build(loaded, champion="").components
    ids = [component.id for component in components]
    assert ("monitor" in ids) is watched
    for component in components:
        if component.id in ("baselines", "train"):
            before = {upstream.id for upstream in component.upstream_nodes}
            assert ("monitor" in before) is watched
    if watched:
        assert ids.index("windows") < ids.index("monitor") < ids.index("train")
