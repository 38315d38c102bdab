"""Warm start: the champion's weights where they fit, and the reason where they do not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.backtest.champion import Champion
from components.tracking.recorder import SilentRecorder
from components.train.identity import training_digest
from components.train.settings import TrainSettings
from components.train.train import train_forecaster, vocabularies
from components.train.warm_start import begin, moved_rows, obstacle
from models.export.metadata import read_metadata
from models.features.scaling import Scaling
from models.network.build import build_forecaster
from models.network.config import ModelConfig
from models.roles import Covariates, Roles
from models.training.config import TrainConfig
from models.windows.spec import WindowSpec
from models.windows.store import SeriesStore
from tests.stores import make_store, scaling_of

MODEL = ModelConfig(cell="gru", units=(4,), shortcut=True, channels="mixed")
TRAIN = TrainConfig(epochs=2, batch_size=32, learning_rate=0.01, warm_start=True, patience=None)
ROLES = Roles(
    targets=("load",),
    covariates=Covariates(past=("wind",), static=("site", "area"), calendar=("hour_of_day",)),
)


def store_of(sites: tuple[str, ...], **changes: Any) -> SeriesStore:
    """A series for each site, hourly."""
    t = np.arange(100)
    rows = [np.stack([np.sin(t / 5 + i) + 3, np.cos(t / 7)], axis=1) for i in range(len(sites))]
    given: dict[str, Any] = {"spec": WindowSpec(lookback=6, horizon=3), "roles": ROLES, **changes}
    return make_store(
        [(site, 0, values) for site, values in zip(sites, rows, strict=True)],
        given["spec"],
        (60, 80, 100),
        roles=given["roles"],
        static={"site": sites, "area": tuple(f"a{s}" for s in sites)},
    )


class Memory(SilentRecorder):
    """Keeps tags and warnings."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tagged: dict[str, str] = {}

    def tags(self, values: Any) -> None:
        self.tagged.update(values)

    def warn(self, text: str) -> None:
        self.said.append(text)


STORE = store_of(("east", "north", "south", "west"))


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    out = trained(tmp_path_factory.mktemp("first"), STORE, None, Memory())
    return Champion("7", out / "Format-Serving", "d")


def trained(
    folder: Path,
    store: SeriesStore,
    champion: Champion | None,
    memory: Memory,
    train: TrainConfig = TRAIN,
    model: ModelConfig = MODEL,
) -> Path:
    out = folder / "model"
    train_forecaster(
        store,
        scaling_of(store),
        model,
        train,
        out,
        checkpoints=folder / "checkpoints",
        metadata={},
        recorder=memory,
        champion=champion,
    )
    return out


def network(store: SeriesStore, seed: int, scaling: Scaling | None = None) -> Any:
    return build_forecaster(
        spec=store.spec,
        roles=store.roles,
        model=MODEL,
        scaling=scaling or scaling_of(store),
        frequency=store.frequency,
        vocabularies=vocabularies(store),
        seed=seed,
    )


def inputs_of(store: SeriesStore) -> dict[str, Any]:
    batch = store.view("test").take(np.arange(4)).gather()
    text = {name: np.asarray(words, str) for name, words in batch.static.items()}
    return {**batch.past, **text, "time": batch.time}


def forecast(model: Any, inputs: dict[str, Any]) -> Any:
    import tensorflow as tf

    feed = {name: tf.constant(values) for name, values in inputs.items()}
    return model(feed, training=False)["load"].numpy()


def test_a_first_training_begins_cold_and_says_why(champion: Champion) -> None:
    history = json.loads((champion.path.parent / "history.json").read_text())
    assert history["warm_start"]["warm"] is False
    assert history["warm_start"]["reason"] == "there is no champion yet"
    about = read_metadata(champion.path)
    assert about["warm_start"] == history["warm_start"]
    assert about["vocabularies"] == {
        "site": ["east", "north", "south", "west"],
        "area": ["aeast", "anorth", "asouth", "awest"],
    }


def test_it_begins_where_the_champion_ended(champion: Champion, tmp_path: Path) -> None:
    import tensorflow as tf

    mine = network(STORE, seed=99)
    inputs = inputs_of(STORE)
    before = forecast(mine, inputs)
    start = begin(mine, champion, STORE, MODEL, scaling_of(STORE), vocabularies(STORE))
    assert start.warm
    assert start.words == "warm, from version 7"
    assert start.moved == {"load": {"shift": pytest.approx(0), "ratio": pytest.approx(1)}}
    serve = tf.saved_model.load(str(champion.path)).signatures["serving_default"]
    names = read_metadata(champion.path)["inputs"]
    served = serve(**{names[c]: tf.constant(v) for c, v in inputs.items()})["load"].numpy()
    np.testing.assert_allclose(forecast(mine, inputs), served, rtol=1e-5, atol=1e-6)
    assert not np.allclose(before, served, atol=1e-3)
    # And the training goes on from there: one epoch of tiny steps stays there.
    memory = Memory()
    still = replace_train(epochs=1, learning_rate=1e-12)
    out = trained(tmp_path, STORE, champion, memory, still)
    history = json.loads((out / "history.json").read_text())
    last = json.loads((champion.path.parent / "history.json").read_text())
    assert history["epochs"]["val_loss"][0] == pytest.approx(last["best_val_loss"], rel=1e-4)
    assert history["warm_start"]["version"] == "7"
    assert memory.tagged["elman.train.start"] == "warm, from version 7"
    assert memory.said == []


def replace_train(**changes: Any) -> TrainConfig:
    return TrainConfig.model_validate({**TRAIN.model_dump(), **changes})


def test_words_keep_their_vectors_wherever_they_stand(champion: Champion) -> None:
    # As many words, so that vectors are as long; "center" is new and "north" is gone.
    store = store_of(("center", "east", "south", "west"))
    first, mine = network(STORE, seed=1), network(store, seed=99)
    for made, its in ((first, STORE), (mine, store)):
        assert begin(made, champion, its, MODEL, scaling_of(its), vocabularies(its)).warm
    fresh = network(store, seed=99)
    for index in (0, 1):
        old, new, untouched = (
            n.get_layer(f"elman_words_{index}").embedding.embeddings.numpy()
            for n in (first, mine, fresh)
        )
        np.testing.assert_array_equal(new[[2, 3, 4]], old[[1, 3, 4]])
        np.testing.assert_array_equal(new[1], untouched[1])


def test_constants_are_those_of_the_new_data_and_the_move_is_told(champion: Champion) -> None:
    old = scaling_of(STORE)
    moments = {name: (m.mean, m.std) for name, m in old.columns.items()}
    moments["load"] = (old["load"].mean + 3 * old["load"].std, 2 * old["load"].std)
    scaling = Scaling.of(moments)
    mine = network(STORE, seed=99, scaling=scaling)
    start = begin(mine, champion, STORE, MODEL, scaling, vocabularies(STORE))
    assert start.moved["load"]["shift"] == pytest.approx(3)
    assert start.moved["load"]["ratio"] == pytest.approx(2)
    # The same function of normalised values: inputs moved as the constants are, so is the forecast.
    first = network(STORE, seed=1)
    begin(first, champion, STORE, MODEL, old, vocabularies(STORE))
    inputs = inputs_of(STORE)
    known = forecast(first, inputs)
    a, b = 2.0, scaling["load"].mean - 2 * old["load"].mean
    moved = forecast(mine, {**inputs, "load": (a * inputs["load"] + b).astype(np.float32)})
    np.testing.assert_allclose(moved, a * known + b, rtol=1e-4, atol=1e-4)


def with_about(champion: Champion, **changes: Any) -> dict[str, Any]:
    return {**read_metadata(champion.path), **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "tag"}, "it is a model of the task tag"),
        ({"baseline": "ar"}, "it is the baseline ar, which has no weights"),
        ({"frequency": "D"}, "its data.frequency is D, here it is h"),
        ({"model": {**MODEL.model_dump(mode="json"), "cell": "lstm"}}, "model.cell is lstm"),
        ({"model": {**MODEL.model_dump(mode="json"), "units": [4, 4]}}, "model.units is [4, 4]"),
        ({"model": {**MODEL.model_dump(mode="json"), "dropout": 0.5}}, ""),
        ({"spec": {"lookback": 7, "horizon": 3, "gap": 0}}, "window.lookback is 7, here it is 6"),
        ({"spec": {"lookback": 6, "horizon": 3, "gap": 1}}, "window.gap is 1, here it is 0"),
        ({"spec": {"lookback": 6, "horizon": 3, "gap": 0, "stride": 9}}, ""),
        ({"roles": {"targets": ["wind"], "covariates": {}}}, "its covariates.calendar is None"),
        ({"spec": {}}, "its window.gap is None"),
    ],
)
def test_what_does_not_fit_is_said(champion: Champion, changes: dict[str, Any], words: str) -> None:
    said = obstacle(with_about(champion, **changes), STORE, MODEL, vocabularies(STORE))
    assert words in said
    assert bool(words) == bool(said)


def test_without_a_shortcut_the_lookback_may_change(champion: Champion) -> None:
    plain = ModelConfig.model_validate({**MODEL.model_dump(), "shortcut": False})
    about = with_about(champion, model=plain.model_dump(mode="json"), spec={
        "lookback": 48, "horizon": 3, "gap": 0})  # fmt: skip
    assert obstacle(about, STORE, plain, vocabularies(STORE)) == ""


def test_a_champion_that_knew_no_words_is_refused(champion: Champion) -> None:
    about = with_about(champion)
    del about["vocabularies"]
    said = obstacle(about, STORE, MODEL, vocabularies(STORE))
    assert "does not say which words" in said


def test_more_words_make_longer_vectors_and_a_cold_start(champion: Champion) -> None:
    store = store_of(tuple("abcdefgh"))
    mine = network(store, seed=99)
    before = [w.numpy() for w in mine.weights]
    start = begin(mine, champion, store, MODEL, scaling_of(store), vocabularies(store))
    assert start.words == (
        "cold: version 7 does not fit: the vectors of the words of site have the shape (5, 2), "
        "here it is (9, 4)"
    )
    for weight, value in zip(mine.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize("broken", ["no folder", "no weights", "torn weights"])
def test_a_champion_that_cannot_be_read_is_a_cold_start(
    champion: Champion, tmp_path: Path, broken: str
) -> None:
    path = tmp_path / "champion"
    if broken != "no folder":
        (path / "assets.extra").mkdir(parents=True)
        about = (champion.path / "assets.extra/elman.json").read_text()
        (path / "assets.extra/elman.json").write_text(about)
    if broken == "torn weights":
        (path / "variables").mkdir()
        for name in ("variables.index", "variables.data-00000-of-00001"):
            data = (champion.path / "variables" / name).read_bytes()
            (path / "variables" / name).write_bytes(data[: len(data) // 2])
    mine = network(STORE, seed=99)
    before = [w.numpy() for w in mine.weights]
    start = begin(
        mine, replace(champion, path=path), STORE, MODEL, scaling_of(STORE), vocabularies(STORE)
    )
    assert not start.warm
    assert start.reason.startswith("version 7 does not fit: ")
    for weight, value in zip(mine.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@given(st.lists(st.text("abcdef", min_size=1), unique=True), st.data())
def test_rows_move_with_their_words(old: list[str], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(old), unique=True)) if old else []
    added = data.draw(st.lists(st.text("xyz", min_size=1), unique=True))
    new = data.draw(st.permutations([*kept, *added]))
    found = np.arange(len(old) + 1.0)[:, None]
    fresh = -1 - np.arange(len(new) + 1.0)[:, None]
    rows = moved_rows(found, old, fresh, new)[:, 0]
    by_hand = {word: i + 1.0 for i, word in enumerate(old)}
    assert rows[0] == 0
    for i, word in enumerate(new):
        assert rows[i + 1] == by_hand.get(word, -2.0 - i)


def test_the_champion_is_part_of_the_key_only_where_it_is_used() -> None:
    plain = TrainConfig()
    assert "warm_start" not in plain.canonical_json()
    assert plain.model_dump() == TrainConfig(warm_start=False).model_dump()
    assert '"warm_start":true' in TRAIN.canonical_json()
    off = TrainSettings(train=plain)
    assert "champion" not in off.canonical_json()
    assert TrainSettings.from_json(off.canonical_json()) == off
    on = TrainSettings(train=TRAIN, champion='{"version": 7}')
    assert TrainSettings.from_json(on.canonical_json()) == on
    scaling = scaling_of(STORE)
    digests = {
        training_digest(STORE, scaling, settings, "c")
        for settings in (on, TrainSettings(train=TRAIN), TrainSettings(train=TRAIN, champion="8"))
    }
    assert len(digests) == 3
