"""The TFX wiring of the push: blessings in, PushedModel with TFX's properties out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.push.component import pusher
from components.push.config import ServingConfig
from components.push.executor import Executor
from components.push.repository import ModelRepository

MakeModel = Callable[..., Path]


def artifact(kind: type[types.Artifact], uri: Path, blessed: int | None = None) -> types.Artifact:
    made = kind()
    made.uri = str(uri)
    if blessed is not None:
        made.set_int_custom_property("blessed", blessed)
    return made


@pytest.mark.parametrize(("gate", "infra"), [(1, 1), (0, 1), (1, 0)])
def test_only_a_model_blessed_twice_is_pushed(
    tmp_path: Path, make_model: MakeModel, gate: int, infra: int
) -> None:
    (tmp_path / "model").mkdir()
    make_model(1).rename(tmp_path / "model" / "Format-Serving")
    node = pusher(
        types.Channel(type=standard_artifacts.Model),
        types.Channel(type=standard_artifacts.ModelBlessing),
        types.Channel(type=standard_artifacts.InfraBlessing),
        serving=ServingConfig(keep=2),
        directory=tmp_path / "serving",
        name="co2",
    )
    assert node.id == "push"
    pushed = artifact(standard_artifacts.PushedModel, tmp_path / "pushed")
    inputs = {
        "model": [artifact(standard_artifacts.Model, tmp_path / "model")],
        "model_blessing": [artifact(standard_artifacts.ModelBlessing, tmp_path / "gate", gate)],
        "infra_blessing": [artifact(standard_artifacts.InfraBlessing, tmp_path / "infra", infra)],
    }
    properties: dict[str, Any] = dict(node.exec_properties)
    assert set(properties) == {"config", "source_digest"}
    Executor().Do(inputs, {"pushed_model": [pushed]}, properties)

    report = json.loads((tmp_path / "pushed" / "push.json").read_text())
    live = ModelRepository(tmp_path / "serving").live()
    assert pushed.get_int_custom_property("pushed") == int(gate and infra)
    assert pushed.get_string_custom_property("reason") == report["reason"]
    if gate and infra:
        assert report["version"] == live
        assert pushed.get_string_custom_property("pushed_version") == str(live)
        destination = pushed.get_string_custom_property("pushed_destination")
        assert (Path(destination) / "saved_model.pb").is_file()
    else:
        assert (report["pushed"], report["version"], live) == (False, None, None)
        assert ("gate" if not gate else "serving check") in report["reason"]
