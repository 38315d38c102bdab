"""The TFX node of the window stage, without a metadata store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import Windows
from components.ingest.config import DataConfig, SplitConfig
from components.ingest.ingest import ingest
from components.tracking.recorder import SilentRecorder, use
from components.windows.component import windows
from components.windows.executor import Executor
from models.errors import BadInputError
from models.roles import Roles
from models.windows.gaps import GapsConfig
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore

HOUR = 3600
SPEC = WindowSpec(lookback=3, horizon=2)
ROLES = Roles(targets=("y",))


class Listening(SilentRecorder):
    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.warnings: list[str] = []
        self.files: dict[str, Any] = {}

    def metrics(self, values: Any, step: int | None = None) -> None:
        self.seen.update(values)

    def data(self, values: Any, path: str) -> None:
        self.files[path] = values

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def node(**options: Any) -> Any:
    settings = {"spec": SPEC, "roles": ROLES, "gaps": GapsConfig(), "frequency": "h"}
    channel = types.Channel(type=standard_artifacts.Examples)
    return windows(channel, **{**settings, **options})


def test_the_node() -> None:
    component = node()
    assert component.id == "windows"
    assert component.outputs["windows"].type is Windows
    assert len(component.exec_properties["source_digest"]) == 32
    config = json.loads(component.exec_properties["config"])
    assert WindowSpec.model_validate(config["spec"]) == SPEC
    assert Roles.model_validate(config["roles"]) == ROLES


def test_parameters_key_the_cache() -> None:
    base = node().exec_properties
    assert node(frequency="60min").exec_properties == base
    for other in (
        {"spec": WindowSpec(lookback=4, horizon=2)},
        {"roles": Roles(targets=("z",))},
        {"gaps": GapsConfig(max=1)},
        {"frequency": "D"},
    ):
        assert node(**other).exec_properties != base
    with pytest.raises(BadInputError, match="frequency"):
        node(frequency="fortnightly")


def execute(tmp_path: Path, component: Any) -> tuple[Any, Listening]:
    lines = ["id,at,y"]
    lines += [f"a,{np.datetime64(t * HOUR, 's')},{t}" for t in range(42)]
    lines += [f"b,{np.datetime64(t * HOUR, 's')}," for t in range(3)]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
    data = DataConfig(path="data.csv", time="at", series="id", frequency="h")
    split = SplitConfig(train=20, validation=10, test=10)
    ingest(data, split, ROLES, tmp_path, tmp_path / "examples")
    examples, out = standard_artifacts.Examples(), Windows()
    examples.uri, out.uri = str(tmp_path / "examples"), str(tmp_path / "windows")
    listener = Listening()
    with use(listener):
        Executor().Do({"examples": [examples]}, {"windows": [out]}, component.exec_properties)
    return out, listener


def test_the_executor_writes_a_store_and_reports(tmp_path: Path) -> None:
    out, listener = execute(tmp_path, node())
    store = SeriesStore.load(Path(out.uri))
    counts = {split: len(store.view(split)) for split in store.origins}
    assert counts == {"train": 16, "validation": 9, "test": 9}
    for split, count in counts.items():
        assert out.get_int_custom_property(f"windows_{split}") == count
        assert listener.seen[f"windows_{split}"] == count
    assert listener.seen["rows"] == 40
    assert listener.files["windows.json"]["windows"] == counts
    assert listener.warnings == [
        "1 of 2 series have no step at which every column is observed; they give no windows"
    ]


def test_the_executor_passes_refusals_on(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="validation split gets no window"):
        execute(tmp_path, node(spec=WindowSpec(lookback=3, horizon=11)))
    assert not any((tmp_path / "windows").iterdir())
