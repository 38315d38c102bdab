"""The registry follows the model directory, and its model answers as the SavedModel does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from components.push.node import PushSettings, push_node
from components.push.publish import follow, publish
from components.push.registry import ChampionRegistry
from components.push.repository import ModelRepository
from components.push.rollback import roll_back
from components.source_digest import ROOT
from components.tracking.outbox import anything_waits
from components.tracking.session import RunTracker
from components.tracking.store import TrackingStore
from models.errors import BadInputError, FailedRunError
from tests.components.tracking.away import Heard, switched

LOOKBACK, HORIZON = 5, 3
INPUTS = {
    "CO2 (ppm)": ("CO2_ppm", [LOOKBACK], "float32"),
    "price": ("price", [LOOKBACK + HORIZON], "float32"),
    "area": ("area", [], "float32"),
    "station": ("station", [], "string"),
    "time": ("time", [], "int64"),
}
EXAMPLE = {
    "CO2 (ppm)": np.linspace(310, 312, LOOKBACK, dtype=np.float32),
    "price": np.linspace(-1, 1, LOOKBACK + HORIZON, dtype=np.float32),
    "area": np.float32(2.5),
    "station": "Mauna Loa",
    "time": np.int64(1_700_000_000),
}


class Tiny(tf.Module):
    """Uses every kind of input, so that a mixed-up one changes the forecast."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = tf.Variable(weight)

    def forecast(self, **x: tf.Tensor) -> dict[str, tf.Tensor]:
        last = x["CO2_ppm"][:, -1:] * self.weight + x["price"][:, -HORIZON:]
        words = tf.cast(tf.strings.length(x["station"]), tf.float32)
        day = tf.cast(x["time"] % 86400, tf.float32) / 86400
        return {"CO2_ppm": last + (x["area"] + words + day)[:, None]}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Model artifacts 1, 2 and 3: a SavedModel and its verification windows each."""
    made = {}
    for number in (1, 2, 3):
        root = tmp_path_factory.mktemp(f"artifact-{number}")
        tiny = Tiny(float(number))
        specs = {
            name: tf.TensorSpec((None, *shape), kind, name=name)
            for name, shape, kind in INPUTS.values()
        }
        call = tf.function(tiny.forecast, autograph=False).get_concrete_function(**specs)
        folder = root / "Format-Serving"
        tf.saved_model.save(tiny, str(folder), signatures={"serving_default": call})
        about = {
            "format": 1,
            "inputs": {column: name for column, (name, _, _) in INPUTS.items()},
            "outputs": {"CO2 (ppm)": "CO2_ppm"},
            "input_shapes": {column: shape for column, (_, shape, _) in INPUTS.items()},
            "input_types": {column: kind for column, (_, _, kind) in INPUTS.items()},
        }
        if number == 3:
            about["baseline"] = "ar"
        (folder / "assets.extra").mkdir()
        (folder / "assets.extra" / "elman.json").write_text(json.dumps(about))
        arrays: dict[str, Any] = {
            f"input.{name}": np.stack([EXAMPLE[column]] * 2)
            for column, (name, _, _) in INPUTS.items()
        }
        np.savez(root / "verification.npz", **arrays)
        made[number] = folder
    return made


@pytest.fixture
def repository(tmp_path: Path) -> ModelRepository:
    return ModelRepository(tmp_path / "serving")


@pytest.fixture
def tracker(tracking_store: TrackingStore, tmp_path: Path) -> RunTracker:
    tracker = RunTracker(tracking_store, "co2", tmp_path / "workspace")
    tracker.start("run", {})
    return tracker


@pytest.fixture
def registry(tracker: RunTracker) -> ChampionRegistry:
    return ChampionRegistry(tracker.store, "co2 model", tracker.experiment_id, tracker.run_id)


def push(
    repository: ModelRepository, models: dict[int, Path], number: int, registry: Any, at: int = 0
) -> int | None:
    """Pushes model `number` at the time `at`, or at its number times ten."""
    example = models[number].parent / "verification.npz"
    return publish(
        repository,
        models[number],
        keep=3,
        registry=registry,
        example=example,
        clock=lambda: at or number * 10,
    ).version


def windows(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "area": random.normal(size=rows),
            "station": [f"s{n}" * (n % 4) for n in range(rows)],
            "time": random.integers(0, 2**31, size=rows),
            "price": list(random.normal(size=(rows, LOOKBACK + HORIZON))),
            "not used": 1,
            "CO2 (ppm)": [list(row) for row in random.normal(300, 10, size=(rows, LOOKBACK))],
        },
        index=[f"row {n}" for n in range(rows)],
    )


def test_the_champion_answers_as_the_saved_model(
    repository: ModelRepository,
    registry: ChampionRegistry,
    models: dict[int, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert push(repository, models, 2, registry) == 20
    live = tf.saved_model.load(str(repository.path(20)))  # the copy loads

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.store.uri)
    loaded = mlflow.pyfunc.load_model("models:/co2 model@champion")
    frame = windows(1500)  # more than one call of the signature
    got = loaded.predict(frame)

    feed = {
        name: tf.constant(
            np.asarray(frame[column].tolist(), dtype=object if kind == "string" else kind)
        )
        for column, (name, _, kind) in INPUTS.items()
    }
    want = live.signatures["serving_default"](**feed)["CO2_ppm"].numpy()
    assert list(got.columns) == ["CO2 (ppm)"]
    assert list(got.index) == list(frame.index)
    assert isinstance(got.iloc[0, 0], list)
    np.testing.assert_allclose(np.array(got["CO2 (ppm)"].tolist(), np.float32), want, rtol=1e-6)
    assert loaded.predict(frame.iloc[:0]).empty

    with pytest.raises(Exception, match="price"):
        loaded.predict(frame.drop(columns="price"))
    short = frame.iloc[:2].assign(price=[[1.0], [1.0]])
    with pytest.raises(ValueError, match=r"'price': expected a list of 8 values .* a list of 1"):
        loaded.predict(short)

    # What a person sees in the registry.
    found = registry.store.client.get_model_version_by_alias("co2 model", "champion")
    assert found.run_id == registry.run_id
    assert found.tags["elman.serving_version"] == "20"
    assert found.tags["elman.model"] == "network"
    assert loaded.metadata.signature is not None
    assert [c.name for c in loaded.metadata.signature.inputs] == list(INPUTS)
    folder = Path(mlflow.artifacts.download_artifacts("models:/co2 model@champion"))
    assert not [p for p in folder.rglob("*") if p.suffix in (".pkl", ".pickle", ".lock")]
    example = mlflow.models.Model.load(str(folder)).load_input_example(str(folder))
    assert example["station"].tolist() == ["Mauna Loa"]
    assert loaded.predict(example).shape == (1, 1)


def test_a_baseline_that_was_pushed_is_registered_as_one(
    repository: ModelRepository, models: dict[int, Path], registry: ChampionRegistry
) -> None:
    version = push(repository, models, 3, registry)
    found = registry.store.client.get_model_version_by_alias("co2 model", "champion")
    assert found.tags["elman.model"] == "ar"
    assert found.description == f"Serving version {version}: the baseline ar"


LOADS = """
import json, sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/co2 model@champion")
print(json.dumps(model.predict(pd.read_json(sys.stdin)).iloc[0, 0]))
assert not [m for m in sys.modules if m.split(".")[0] in ("components", "models", "tfx")]
"""


def test_the_champion_loads_where_elman_is_not_installed(
    repository: ModelRepository, registry: ChampionRegistry, models: dict[int, Path], tmp_path: Path
) -> None:
    push(repository, models, 3, registry)
    row = pd.DataFrame([{k: np.asarray(v).tolist() for k, v in EXAMPLE.items()}])
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADS, registry.store.uri],
        cwd=tmp_path,
        input=row.to_json(orient="records", date_unit="s"),
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTHONPATH", "MLFLOW_"))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    day = 1_700_000_000 % 86400 / 86400
    expected = 312 * 3 + np.linspace(-1, 1, 8)[-3:] + 2.5 + len("Mauna Loa") + day
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), expected, rtol=1e-5)


def versions(registry: ChampionRegistry) -> int:
    return len(registry.store.client.search_model_versions("name = 'co2 model'"))


def test_the_alias_follows_pushes_and_rollbacks(
    repository: ModelRepository, registry: ChampionRegistry, models: dict[int, Path]
) -> None:
    assert registry.champion() is None
    follow(repository, registry)  # nothing is live: nothing to point at
    assert registry.champion() is None
    push(repository, models, 1, registry)
    assert registry.champion() == 10
    push(repository, models, 2, registry)
    assert (registry.champion(), versions(registry)) == (20, 2)

    assert push(repository, models, 2, registry, at=25) == 20  # live already
    assert versions(registry) == 2

    done = roll_back(repository.base, lambda: registry)
    assert (done.removed, done.live, done.problem) == (20, 10, "")
    assert (registry.champion(), versions(registry)) == (10, 2)

    assert push(repository, models, 2, registry, at=30) is None  # refused
    assert (repository.live(), registry.champion()) == (10, 10)


def test_a_rollback_does_not_wait_for_the_registry(
    repository: ModelRepository, registry: ChampionRegistry, models: dict[int, Path]
) -> None:
    push(repository, models, 1, None)
    push(repository, models, 2, None)

    def away() -> ChampionRegistry:
        raise FailedRunError("the tracking server does not answer")

    done = roll_back(repository.base, away)
    assert (done.live, done.problem) == (10, "the tracking server does not answer")
    assert repository.live() == 10
    # The next run heals: the alias comes to the live version, registered on the spot.
    follow(repository, registry)
    assert registry.champion() == 10


KILLED = """
import os, signal, sys
from pathlib import Path
from components.push.publish import publish
from components.push.registry import ChampionRegistry
from components.push.repository import ModelRepository
from components.tracking.store import open_store

class Killed(ChampionRegistry):
    def make_champion(self, *args, **kwargs):
        if sys.argv[4] == "before registering":
            os.kill(os.getpid(), signal.SIGKILL)
        super().make_champion(*args, **kwargs)

    def _register(self, *args, **kwargs):
        super()._register(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

store = open_store(None, Path(sys.argv[1]))
registry = Killed(store, "co2 model", store.experiment("co2"))
repository = ModelRepository(Path(sys.argv[2]))
publish(repository, Path(sys.argv[3]), keep=3, registry=registry, clock=lambda: 20)
"""


@pytest.mark.parametrize("when", ["before registering", "before the alias"])
def test_a_push_killed_before_the_alias_moved_heals(
    repository: ModelRepository,
    registry: ChampionRegistry,
    models: dict[int, Path],
    tmp_path: Path,
    when: str,
) -> None:
    push(repository, models, 1, registry)
    done = subprocess.run(
        [
            *(sys.executable, "-c", KILLED, tmp_path / "workspace"),
            *(repository.base, models[2], when),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (repository.live(), registry.champion()) == (20, 10)
    registered = versions(registry)
    assert push(repository, models, 2, registry, at=30) == 20
    assert registry.champion() == 20
    assert versions(registry) == (2 if when == "before registering" else registered) == 2


def test_an_alias_never_moves_before_the_push(
    repository: ModelRepository, registry: ChampionRegistry, models: dict[int, Path], tmp_path: Path
) -> None:
    push(repository, models, 1, registry)
    with pytest.raises(BadInputError):
        publish(repository, tmp_path / "nothing", keep=3, registry=registry)
    assert (registry.champion(), versions(registry)) == (10, 1)


@pytest.mark.parametrize("name", ["a/b", "a:b", "", "it's"])
def test_names_that_mlflow_cannot_address_are_refused(
    registry: ChampionRegistry, name: str
) -> None:
    with pytest.raises(BadInputError, match="cannot be the name of a registered model"):
        ChampionRegistry(registry.store, name, registry.experiment_id)


def test_the_node_pushes_registers_and_reports(
    tracker: RunTracker, models: dict[int, Path], tmp_path: Path
) -> None:
    settings = PushSettings(directory=str(tmp_path / "serving"), keep=2, name="co2 model")
    check = tmp_path / "check.json"
    check.write_text(json.dumps({"failures": ["answers differ by 3"]}))

    def node(number: int, *, blessed: bool = True, infra: bool = True) -> dict[str, Any]:
        with tracker.component("push"):
            report = push_node(
                settings,
                models[number],
                tmp_path / "out",
                blessed=blessed,
                infra_blessed=infra,
                infra_report=check,
                example=models[number].parent / "verification.npz",
            )
        assert json.loads((tmp_path / "out" / "push.json").read_text()) == report
        return report

    refused = node(1, blessed=False)
    assert (refused["pushed"], refused["version"], refused["live"]) == (False, None, None)
    assert refused["reason"] == "the gate did not bless the model"
    assert not (tmp_path / "serving").exists()
    assert node(1, infra=False)["reason"] == "the serving check failed: answers differ by 3"

    first = node(1)
    assert (first["pushed"], first["live"]) == (True, first["version"])
    again = node(1)
    assert (again["pushed"], again["version"]) == (False, first["version"])
    assert again["reason"] == f"already live as version {first['version']}"
    registry = ChampionRegistry(tracker.store, "co2 model", tracker.experiment_id)
    assert registry.champion() == first["version"]
    parent = tracker.store.client.get_model_version_by_alias("co2 model", "champion").run_id
    assert parent == tracker.run_id
    for number in (2, 3):
        node(number)
    assert len(ModelRepository(tmp_path / "serving").versions()) == 2


@pytest.mark.parametrize("dies", ["before", "while registering"])
def test_a_store_that_is_away_holds_up_no_push_and_is_made_up_for(
    tracking_store: TrackingStore, models: dict[int, Path], tmp_path: Path, dies: str
) -> None:
    store, switch = switched(tracking_store)
    workspace, heard = tmp_path / "workspace", Heard()
    settings = PushSettings(directory=str(tmp_path / "serving"), keep=1, name="co2 model")

    def run() -> dict[str, Any]:
        tracker = RunTracker(store, "co2", workspace, heard)
        tracker.close_orphans(locked=True)
        tracker.start("run", {})
        switch.down = switch.down or (dies == "before" and not heard.said)
        if dies == "while registering" and not heard.said:
            switch.lose = "create_logged_model"
        with tracker.component("push"):
            report = push_node(
                settings, models[1], tmp_path / "out", blessed=True, infra_blessed=True
            )
        tracker.finish()
        return report

    first = run()
    assert first["pushed"]
    assert any("the next run registers it and moves the alias" in said for said in heard.said)
    assert anything_waits(workspace)
    switch.down = False
    again = run()
    assert (again["pushed"], again["live"]) == (False, first["version"])
    registry = ChampionRegistry(store, "co2 model", store.experiment("co2"))
    assert registry.champion() == first["version"]
    assert not anything_waits(workspace)
    assert {run.info.status for run in store.client.search_runs([store.experiment("co2")])} == {
        "FINISHED"
    }
