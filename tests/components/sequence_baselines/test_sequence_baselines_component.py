from __future__ import annotations

from typing import Any

from tfx.types import channel_utils

from components.artifacts import Baselines, Windows
from components.sequence_baselines import executor
from components.sequence_baselines.component import sequence_baselines
from components.sequence_baselines.executor import SequenceBaselinesExecutor
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences

CONFIG = SequenceBaselinesConfig(names=("hmm",), hmm_states=3, hmm_alpha=0.5)


def node(config=CONFIG, data=None):
    return sequence_baselines(channel_utils.as_channel([Windows()]), config=config, data=data)


def test_the_node_is_called_baselines_and_knows_its_settings_and_its_code():
    found = node()
    assert found.id == "baselines"
    assert found.outputs["baselines"].type is Baselines
    assert len(found.exec_properties["source_digest"]) > 20
    same, other = node(), node(SequenceBaselinesConfig(hmm_states=4))
    assert same.exec_properties == found.exec_properties
    assert other.exec_properties != found.exec_properties


def test_the_executor_fits_what_the_settings_say(tmp_path, monkeypatch):
    spec = SequenceSpec(task="classify", inputs=SequenceInputs(numbers=("x",)), target="y")
    make_sequences(spec, {"train": [{"x": [1.0, 2.0], "y": "a"}]}).save(tmp_path / "windows")
    windows, out = Windows(), Baselines()
    windows.uri, out.uri = str(tmp_path / "windows"), str(tmp_path / "out")
    seen: dict[str, Any] = {}

    def record(store: Any, config: Any, folder: Any, metadata: Any) -> None:
        seen.update(store=store, config=config, folder=folder, metadata=metadata)

    monkeypatch.setattr(executor, "fit_baselines", record)
    component = node(data={"sequence": "id", "step": None})
    SequenceBaselinesExecutor().Do(
        {"windows": [windows]}, {"baselines": [out]}, dict(component.exec_properties)
    )
    assert seen["config"] == CONFIG
    assert seen["store"].spec == spec
    assert seen["folder"] == tmp_path / "out"
    assert seen["metadata"] == {
        "source_digest": component.exec_properties["source_digest"],
        "data": {"sequence": "id", "step": None},
    }
