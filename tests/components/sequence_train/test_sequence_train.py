"""The node train of a sequence task: its contract, its files, and what its model answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from tfx.types import channel, standard_artifacts

from components.artifacts import Windows
from components.sequence_train import executor
from components.sequence_train.component import sequence_trainer
from components.sequence_train.executor import SequenceTrainExecutor
from components.sequence_train.identity import sequence_training_digest
from components.sequence_train.settings import SequenceTrainSettings
from components.sequence_train.train import train_sequence_model
from components.tracking.recorder import SilentRecorder
from models.errors import BadInputError
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from models.training.history import TrainingHistory
from tests.sequences import make_sequences

MODEL = SequenceModelConfig(cell="simple_rnn", units=(4,), dropout=0.2, shortcut=True)
TRAIN = SequenceTrainConfig(
    epochs=2, batch_size=8, learning_rate=0.01, class_weights={"end": 2.0}, label_smoothing=0.1
)


class Memory(SilentRecorder):
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.recorded: dict[str, Any] = {}
        self.figures: dict[str, Figure] = {}
        self.run_id = "r1"

    def params(self, values: Mapping[str, Any]) -> None:
        self.recorded.update(values)

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        self.recorded.update({f"{k}@{step}" if step else k: v for k, v in values.items()})

    def figure(self, figure: Figure, path: str) -> None:
        self.figures[path] = figure


@pytest.fixture(scope="module")
def store() -> SequenceStore:
    """tag, of a number and a word at every step."""
    rng = np.random.default_rng(8)

    def some(n: int) -> list[dict[str, Any]]:
        found = []
        for _ in range(n):
            steps = int(rng.integers(1, 7))
            words = [str(w) for w in rng.choice(["go", "stop"], steps)]
            labels = [*words[:-1], "end"]
            found.append({"#x": rng.normal(50, 9, steps).tolist(), "w": words, "y": labels})
        return found

    inputs = SequenceInputs(numbers=("#x",), symbols=("w",))
    spec = SequenceSpec(task="tag", inputs=inputs, target="y")
    return make_sequences(spec, {"train": some(40), "validation": some(12), "test": some(3)})


def node(**changes: Any) -> Any:
    given: dict[str, Any] = {"model": MODEL, "train": TRAIN, "config_digest": "d1"}
    return sequence_trainer(channel.Channel(type=Windows), **{**given, **changes})


@pytest.fixture(scope="module")
def trained(store: SequenceStore, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Memory]:
    """What the executor left, and what was recorded."""
    folder, memory = tmp_path_factory.mktemp("train"), Memory()
    store.save(folder / "windows")
    windows, model = Windows(), standard_artifacts.Model()
    windows.uri, model.uri = str(folder / "windows"), str(folder / "train" / "model" / "7")
    Path(model.uri).mkdir(parents=True)  # as TFX does
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "current", lambda: memory)
        properties = dict(node(data={"sequence": "id"}).exec_properties)
        SequenceTrainExecutor().Do({"windows": [windows]}, {"model": [model]}, properties)
    return folder / "train", memory


def test_the_node_and_what_its_cache_depends_on() -> None:
    made = node()
    assert made.id == "train"
    assert made.outputs["model"].type is standard_artifacts.Model
    properties = made.exec_properties
    assert properties == node().exec_properties
    assert len(properties["source_digest"]) == 32
    longer = TRAIN.model_copy(update={"epochs": 4})
    assert properties != node(train=longer).exec_properties
    settings = SequenceTrainSettings.from_json(properties["config"])
    assert (settings.model, settings.train) == (MODEL, TRAIN)


def test_a_model_has_all_its_files_and_nothing_else_is_left(trained: tuple[Path, Memory]) -> None:
    folder, _ = trained
    out = folder / "model" / "7"
    files = {"Format-Serving", "model.keras", "history.json", "verification.npz"}
    assert {p.name for p in out.iterdir()} == files
    assert [p.name for p in (folder / "model").iterdir()] == ["7"]
    assert not list((folder / "checkpoints").iterdir())
    history = TrainingHistory.from_json((out / "history.json").read_text())
    assert (history.epochs_run, history.train_windows) == (2, 40)
    about = json.loads((out / "Format-Serving/assets.extra/elman.json").read_text())
    assert (about["config_digest"], about["run_id"]) == ("d1", "r1")
    assert (about["task"], about["classes"]) == ("tag", ["end", "go", "stop"])
    assert about["data"] == {"sequence": "id"}
    assert about["metrics"]["val_loss"] == history.best_val_loss
    assert about["train"]["class_weights"] == {"end": 2.0}
    assert about["train_sequences"] == 40
    assert about["moments"]["#x"]["mean"] == pytest.approx(50, abs=3)


def test_the_exported_model_answers_as_the_kept_network(
    trained: tuple[Path, Memory], store: SequenceStore
) -> None:
    out = trained[0] / "model" / "7"
    loaded = tf.saved_model.load(str(out / "Format-Serving"))
    with np.load(out / "verification.npz") as kept:
        feed = {k[6:]: tf.constant(kept[k]) for k in kept.files if k.startswith("input.")}
        want = kept["output.probabilities"]
    got = loaded.signatures["serving_default"](**feed)["probabilities"].numpy()
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    view = store.view("validation")
    batch = view.batch()
    network = keras.models.load_model(out / "model.keras")
    logits = network(
        {"numbers": batch.numbers, "tokens_0": batch.tokens["w"], "length": batch.length}
    )
    names = {"#x": "x", "w": "w", "length": "length"}
    raw = {names[k]: tf.constant(v) for k, v in view.feed().items()}
    served = loaded.signatures["serving_default"](**raw)["probabilities"].numpy()
    inside = np.arange(served.shape[1]) < batch.length[:, None]
    probabilities = tf.nn.softmax(logits).numpy()
    np.testing.assert_allclose(served[inside], probabilities[inside], rtol=1e-5, atol=1e-5)


def test_parameters_metrics_and_figures_are_recorded(trained: tuple[Path, Memory]) -> None:
    memory = trained[1]
    names = ("loss", "gradient_norm", "gradient_flow", "gradient_flow_epochs")
    assert set(memory.figures) == {f"figures/{name}.png" for name in names}
    assert memory.figures["figures/loss.png"].axes[0].get_ylabel() == "cross-entropy in nats"
    wanted = {"loss@1", "val_loss@2", "gradient_norm@2", "gradient_reach@1", "epochs_run"}
    assert wanted <= set(memory.recorded)
    assert memory.recorded["model.cell"] == "simple_rnn"


def test_a_folder_in_use_is_refused(store: SequenceStore, tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    with pytest.raises(BadInputError, match="not empty"):
        train_sequence_model(
            store,
            MODEL,
            TRAIN,
            tmp_path,
            checkpoints=tmp_path / "c",
            metadata={},
            recorder=SilentRecorder(),
        )


def test_whatever_the_weights_depend_on_changes_the_digest(store: SequenceStore) -> None:
    settings = SequenceTrainSettings(model=MODEL, train=TRAIN, config_digest="one")
    same = sequence_training_digest(store, settings, "code")
    gate_changed = settings.model_copy(update={"config_digest": "two"})
    assert sequence_training_digest(store, gate_changed, "code") == same
    numbers, labels, codes = store.numbers.copy(), store.labels.copy(), store.codes["w"].copy()
    numbers[3, 0] += 1
    labels[2] = -1
    codes[1] ^= 1
    changed = [
        replace(store, numbers=numbers),
        replace(store, labels=labels),
        replace(store, codes={"w": codes}),
        replace(store, vocabularies={"w": tuple(reversed(store.vocabularies["w"]))}),
        replace(store, classes=("a", "b", "c")),
        replace(store, splits={**store.splits, "train": (0, 39)}),
    ]
    other = [sequence_training_digest(s, settings, "code") for s in changed]
    for update in ({"train": SequenceTrainConfig()}, {"model": SequenceModelConfig()}):
        one = settings.model_copy(update=update)
        other += [sequence_training_digest(store, one, "code")]
    other.append(sequence_training_digest(store, settings, "changed"))
    assert len({same, *other}) == 10
