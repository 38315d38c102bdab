"""The files of a trained model: complete, or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from components.tracking.recorder import SilentRecorder
from components.train.figures import figures
from components.train.identity import training_digest
from components.train.settings import TrainSettings
from components.train.train import train_forecaster, vocabularies
from models.errors import BadInputError, FailedRunError
from models.features.scaling import Scaling
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.training.config import TrainConfig
from models.training.execution import Execution
from models.training.history import SERIES, TrainingHistory
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.stores import make_store, scaling_of

MODEL = ModelConfig(cell="simple_rnn", units=(4,))
TRAIN = TrainConfig(epochs=2, batch_size=32, learning_rate=0.01)


class Memory(SilentRecorder):
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.recorded: dict[str, Any] = {}
        self.figures: dict[str, Figure] = {}
        self.parameters: dict[str, Any] = {}

    def params(self, values: Mapping[str, Any]) -> None:
        self.parameters.update(values)

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        self.recorded.update({f"{k}@{step}" if step else k: v for k, v in values.items()})

    def figure(self, figure: Figure, path: str) -> None:
        self.figures[path] = figure


@pytest.fixture(scope="module")
def store() -> SeriesStore:
    """Two series, of which one is too young for train windows."""
    t = np.arange(120)
    old = np.stack([np.sin(t / 5) + 3, np.cos(t / 7), t % 2], axis=1)
    roles = Roles(
        targets=("load (MW)",),
        covariates=Covariates(
            past=("wind", "observed"),
            future=("#price",),
            static=("site", "area"),
            calendar=("hour_of_day",),
        ),
    )
    hidden = np.zeros((120, 3), bool)
    hidden[20:22] = True
    return make_store(
        [("a", 0, old), ("b", 78, old[78:])],
        WindowSpec(lookback=6, horizon=3),
        (80, 100, 120),
        roles=roles,
        hidden={0: hidden},
        static={"site": ("north", "south"), "area": (1.0, 2.0)},
    )


@pytest.fixture(scope="module")
def scaling(store: SeriesStore) -> Scaling:
    known = scaling_of(store).columns
    return Scaling(columns={**known, "area": next(iter(known.values()))})


@pytest.fixture(scope="module")
def trained(
    store: SeriesStore, scaling: Scaling, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Memory]:
    folder, memory = tmp_path_factory.mktemp("train"), Memory()
    out = folder / "model" / "7"
    out.mkdir(parents=True)  # as TFX does
    train_forecaster(
        store,
        scaling,
        MODEL,
        TRAIN,
        out,
        checkpoints=folder / "checkpoints" / "k",
        metadata={"config_digest": "d1", "run_id": "r1"},
        recorder=memory,
    )
    return folder, memory


def test_how_it_was_laid_out_on_the_machine_is_recorded(trained: tuple[Path, Memory]) -> None:
    history = json.loads((trained[0] / "model" / "7" / "history.json").read_text())
    recorded = {
        name.removeprefix("execution."): value
        for name, value in trained[1].parameters.items()
        if name.startswith("execution.")
    }
    assert recorded == history["execution"]
    assert set(recorded) == {field.name for field in fields(Execution)}


def test_a_model_has_all_its_files_and_nothing_else_is_left(
    trained: tuple[Path, Memory], store: SeriesStore
) -> None:
    folder, _ = trained
    out = folder / "model" / "7"
    assert {p.name for p in out.iterdir()} == {
        "Format-Serving",
        "model.keras",
        "history.json",
        "verification.npz",
    }
    assert [p.name for p in (folder / "model").iterdir()] == ["7"]
    assert not list((folder / "checkpoints").iterdir())
    history = TrainingHistory.from_json((out / "history.json").read_text())
    assert history.epochs_run == 2
    about = json.loads((out / "Format-Serving/assets.extra/elman.json").read_text())
    assert (about["config_digest"], about["run_id"]) == ("d1", "r1")
    assert about["train_range"] == ["1970-01-01T00:00:00Z", "1970-01-04T07:00:00Z"]
    assert about["metrics"]["val_loss"] == history.best_val_loss
    assert about["moments"]["load (MW)"]["std"] > 0
    assert about["text"] == ["site"]


def test_the_exported_model_forecasts_as_the_network_did(trained: tuple[Path, Memory]) -> None:
    import tensorflow as tf

    out = trained[0] / "model" / "7"
    serve = tf.saved_model.load(str(out / "Format-Serving")).signatures["serving_default"]
    with np.load(out / "verification.npz") as kept:
        feed = {k[6:]: tf.constant(kept[k]) for k in kept.files if k.startswith("input.")}
        want = {k[7:]: kept[k] for k in kept.files if k.startswith("output.")}
    got = serve(**feed)
    for name, values in want.items():
        np.testing.assert_allclose(got[name].numpy(), values, rtol=1e-5, atol=1e-5)


def test_metrics_and_figures_are_recorded(trained: tuple[Path, Memory]) -> None:
    memory = trained[1]
    names = ("loss", "gradient_norm", "gradient_flow", "gradient_flow_epochs")
    assert set(memory.figures) == {f"figures/{name}.png" for name in names}
    lines = [line.get_label() for line in memory.figures["figures/loss.png"].axes[0].lines]
    assert lines[:2] == ["train", "validation"]
    assert {
        "loss@1",
        "gradient_norm@2",
        "clipped_share@2",
        "epoch_seconds@1",
        "gradient_reach@1",
    } <= set(memory.recorded)
    assert memory.recorded["epochs_run"] == 2


def test_figures_without_clipping(tmp_path: Path) -> None:
    history = TrainingHistory(epochs={name: [0.0, 0.0] for name in SERIES}, best_epoch=1)
    for path, figure in figures(history, TrainConfig(clip=None), "mse"):
        figure.savefig(tmp_path / Path(path).name)
        assert (tmp_path / Path(path).name).stat().st_size > 1000


def test_a_failed_training_leaves_no_model(
    store: SeriesStore, scaling: Scaling, tmp_path: Path
) -> None:
    out = tmp_path / "model" / "1"
    wild = TrainConfig(epochs=2, optimizer="sgd", learning_rate=1e30, clip=None)
    with pytest.raises(FailedRunError, match="No model was written"):
        train_forecaster(
            store,
            scaling,
            MODEL,
            wild,
            out,
            checkpoints=tmp_path / "c",
            metadata={},
            recorder=SilentRecorder(),
        )
    assert not out.exists()


def test_a_folder_in_use_is_refused(store: SeriesStore, scaling: Scaling, tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    with pytest.raises(BadInputError, match="not empty"):
        train_forecaster(
            store,
            scaling,
            MODEL,
            TRAIN,
            tmp_path,
            checkpoints=tmp_path / "c",
            metadata={},
            recorder=SilentRecorder(),
        )


def test_words_come_from_series_that_have_train_windows(store: SeriesStore) -> None:
    assert vocabularies(store) == {"site": ("north",)}


def test_whatever_the_weights_depend_on_changes_the_digest(
    store: SeriesStore, scaling: Scaling
) -> None:
    settings = TrainSettings(model=MODEL, train=TRAIN, config_digest="one")
    same = training_digest(store, scaling, settings, "code")
    gate_changed = settings.model_copy(update={"config_digest": "two"})
    assert training_digest(store, scaling, gate_changed, "code") == same
    values, observed = store.values.copy(), store.observed.copy()
    values[3, 0] += 1
    observed[3, 0] ^= True
    shorter = {**store.origins, "train": store.origins["train"][1:]}
    other = [
        training_digest(replace(store, values=values), scaling, settings, "code"),
        training_digest(replace(store, observed=observed), scaling, settings, "code"),
        training_digest(replace(store, origins=shorter), scaling, settings, "code"),
        training_digest(replace(store, frequency="D"), scaling, settings, "code"),
        training_digest(
            replace(store, static={**store.static, "area": (1.0, 3.0)}), scaling, settings, "code"
        ),
        training_digest(store, Scaling.of({"x": (0.0, 1.0)}), settings, "code"),
        training_digest(store, scaling, settings, "changed"),
        training_digest(
            store, scaling, settings.model_copy(update={"train": TrainConfig(seed=8)}), "code"
        ),
        training_digest(
            store, scaling, settings.model_copy(update={"model": ModelConfig()}), "code"
        ),
    ]
    assert len({same, *other}) == 10


@pytest.mark.parametrize(
    ("engine", "file"),
    [
        ("onnx", "model.onnx"),
        pytest.param("litert", "step.tflite", marks=pytest.mark.nightly),
    ],
)
def test_the_file_of_an_engine_is_part_of_the_saved_model(
    store: SeriesStore, scaling: Scaling, tmp_path: Path, engine: Any, file: str
) -> None:
    result = train_forecaster(
        store,
        scaling,
        MODEL,
        TrainConfig(epochs=1, batch_size=64),
        tmp_path / "model",
        checkpoints=tmp_path / "checkpoints",
        metadata={},
        recorder=SilentRecorder(),
        engine=engine,
    )
    assert (result.saved_model / file).is_file()
    others = {"model.onnx", "step.tflite"} - {file}
    assert not others & {p.name for p in result.saved_model.iterdir()}


def test_an_engine_that_cannot_run_the_network_is_refused_before_training(
    store: SeriesStore, scaling: Scaling, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=r"serving.engine: received litert.*bidirectional"):
        train_forecaster(
            store,
            scaling,
            ModelConfig(bidirectional=True),
            TRAIN,
            tmp_path / "model",
            checkpoints=tmp_path / "checkpoints",
            metadata={},
            recorder=SilentRecorder(),
            engine="litert",
        )
    assert not (tmp_path / "model").exists()
