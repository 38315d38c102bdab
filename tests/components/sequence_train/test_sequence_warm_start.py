"""Warm start of sequence networks: weights by layer, vectors by symbol, classes as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.backtest.champion import Champion
from components.sequence_train.component import sequence_trainer
from components.sequence_train.identity import sequence_training_digest
from components.sequence_train.settings import SequenceTrainSettings
from components.sequence_train.train import train_sequence_model
from components.sequence_train.warm_start import begin_sequences, obstacle
from components.tracking.recorder import SilentRecorder
from models.export.metadata import read_metadata
from models.sequences.config import SequenceModelConfig, SequenceTrainConfig
from models.sequences.fit import network_inputs
from models.sequences.moments import train_moments
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from tests.sequences import make_sequences

MODEL = SequenceModelConfig(cell="gru", units=(4, 3), shortcut=True, embedding=3)
TRAIN = SequenceTrainConfig(epochs=1, batch_size=8, learning_rate=0.01, warm_start=True)
SPEC = SequenceSpec(task="tag", inputs=SequenceInputs(numbers=("#x",), symbols=("w",)), target="y")


def store_of(words: tuple[str, ...], classes: tuple[str, ...] = ("end", "go")) -> SequenceStore:
    rng = np.random.default_rng(8)

    def some(n: int) -> list[dict[str, Any]]:
        found = []
        for i in range(n):
            steps = 3 + i % 4
            said = [words[(i + step) % len(words)] for step in range(steps)]
            labels = [*(classes[1 + step % (len(classes) - 1)] for step in range(steps - 1)), "end"]
            found.append({"#x": rng.normal(50, 9, steps).tolist(), "w": said, "y": labels})
        return found

    return make_sequences(SPEC, {"train": some(24), "validation": some(8), "test": some(3)})


STORE = store_of(("a", "b", "c", "d"))


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    folder = tmp_path_factory.mktemp("first")
    train_sequence_model(
        STORE, MODEL, TRAIN, folder / "model", checkpoints=folder / "c", metadata={},
        recorder=SilentRecorder(),
    )  # fmt: skip
    return Champion("7", folder / "model" / "Format-Serving", "d")


def network(store: SequenceStore, seed: int) -> Any:
    from models.sequences.network import build_sequence_network

    return build_sequence_network(
        spec=store.spec,
        vocabularies=store.vocabularies,
        classes=len(store.classes),
        model=MODEL,
        scaling=train_moments(store.view("train")),
        seed=seed,
    )


def begun(store: SequenceStore, champion: Champion, seed: int = 99) -> tuple[Any, Any]:
    made = network(store, seed)
    return made, begin_sequences(made, champion, store, MODEL, train_moments(store.view("train")))


def test_it_begins_where_the_champion_ended(champion: Champion) -> None:
    from models.sequences.export.loaded import LoadedSequenceModel

    about = read_metadata(champion.path)
    assert about["warm_start"]["reason"] == "there is no champion yet"
    assert about["vocabularies"] == {"w": list(STORE.vocabularies["w"])}
    assert (
        json.loads((champion.path.parent / "history.json").read_text())["warm_start"]
        == (about["warm_start"])
    )
    made, start = begun(STORE, champion)
    assert start.words == "warm, from version 7"
    assert start.moved == {"#x": {"shift": pytest.approx(0), "ratio": pytest.approx(1)}}
    view = STORE.view("test")
    logits = made(network_inputs(view.batch()), training=False).numpy()
    steps = np.concatenate([row[:n] for row, n in zip(logits, view.steps, strict=True)])
    odds = np.exp(steps - steps.max(-1, keepdims=True))
    served = LoadedSequenceModel(champion.path).predict(view)
    want = odds / odds.sum(-1, keepdims=True)
    np.testing.assert_array_equal(served.predicted, want.argmax(-1))
    np.testing.assert_allclose(served.confidence, want.max(-1), rtol=1e-4)


def test_symbols_keep_their_vectors_wherever_they_stand(champion: Champion) -> None:
    first, _ = begun(STORE, champion, seed=1)
    made, start = begun(store_of(("c", "a", "z", "d", "y")), champion)
    assert start.warm
    fresh = network(store_of(("c", "a", "z", "d", "y")), 99)
    old, new, untouched = (
        n.get_layer("elman_symbols_0").embeddings.numpy() for n in (first, made, fresh)
    )
    before = list(STORE.vocabularies["w"])
    after = list(store_of(("c", "a", "z", "d", "y")).vocabularies["w"])
    np.testing.assert_array_equal(new[:2], old[:2])
    for word in after:
        row = new[2 + after.index(word)]
        want = old[2 + before.index(word)] if word in before else untouched[2 + after.index(word)]
        np.testing.assert_array_equal(row, want)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "forecast"}, "it is a model of the task forecast, here it is tag"),
        ({"baseline": "hmm"}, "it is the baseline hmm"),
        ({"model": {**MODEL.model_dump(mode="json"), "cell": "lstm"}}, "model.cell is lstm"),
        ({"model": {**MODEL.model_dump(mode="json"), "dropout": 0.5}}, ""),
        ({"spec": {**SPEC.model_dump(mode="json"), "target": "z"}}, "its target is z"),
        ({"classes": ["end", "stop"]}, "only it has ['stop'], only the new data has ['go']"),
    ],
)
def test_what_does_not_fit_is_said(champion: Champion, changes: dict[str, Any], words: str) -> None:
    said = obstacle({**read_metadata(champion.path), **changes}, STORE, MODEL)
    assert words in said
    assert bool(words) == bool(said)


def test_a_champion_that_does_not_fit_leaves_the_network_as_it_was(
    champion: Champion, tmp_path: Path
) -> None:
    for store, its in (
        (store_of(("a", "b"), ("end", "go", "stop")), champion),
        (STORE, replace(champion, path=tmp_path)),
    ):
        made, start = begun(store, its)
        assert not start.warm
        assert start.reason.startswith("version 7 does not fit: ")
        for weight, fresh in zip(made.weights, network(store, 99).weights, strict=True):
            np.testing.assert_array_equal(weight.numpy(), fresh.numpy())
    about = read_metadata(champion.path)
    del about["vocabularies"]
    assert "does not say which symbols" in obstacle(about, STORE, MODEL)


def test_the_champion_is_part_of_the_key_only_where_it_is_used() -> None:
    from tfx.types import channel

    from components.artifacts import Windows

    def key(train: SequenceTrainConfig, champion: str) -> str:
        made = sequence_trainer(
            channel.Channel(type=Windows), model=MODEL, train=train, config_digest="d",
            champion=champion,
        )  # fmt: skip
        return str(made.exec_properties["config"])

    cold = TRAIN.model_copy(update={"warm_start": False})
    assert key(cold, '{"version": 7}') == key(cold, "")
    assert "champion" not in key(cold, "")
    assert "warm_start" not in key(cold, "")
    keys = [key(TRAIN, champion) for champion in ("", '{"version": 7}', '{"version": 8}')]
    assert len(set(keys)) == 3
    settings = [SequenceTrainSettings.from_json(text) for text in keys]
    assert len({sequence_training_digest(STORE, each, "c") for each in settings}) == 3
