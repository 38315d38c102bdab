"""The engine of the configuration reaches the node that writes its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.train.settings import TrainSettings
from pipeline.config import loads
from pipeline.dag import build

CONFIG = """
name: weekly
data: {path: train.csv, time: week, frequency: W-SAT}
targets: [y]
window: {lookback: 8, horizon: 3}
"""


@pytest.mark.parametrize("engine", ["tensorflow", "onnx", "litert"])
def test_training_is_told_the_engine(tmp_path: Path, engine: str) -> None:
    (tmp_path / "train.csv").write_text("week,y\n2024-01-06,1.0\n")
    text = f"{CONFIG}serving: {{engine: {engine}}}\n"
    made = build(loads(text, path=tmp_path / "weekly.yaml"), champion="")
    (train,) = (node for node in made.components if node.id == "train")
    assert TrainSettings.from_json(train.exec_properties["config"]).engine == engine
