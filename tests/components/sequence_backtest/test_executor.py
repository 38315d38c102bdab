"""The node on real artifacts: a network, fitted baselines and a champion, all as SavedModels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.artifacts import Baselines, Windows
from components.sequence_backtest.executor import SequenceBacktestExecutor
from components.sequence_backtest.settings import SequenceBacktestSettings
from components.sequence_backtest.write import read
from components.sequence_baselines.fit import fit_baselines
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.models.sequences.tiny_core import TinyCore
from tests.sequences import make_sequences

SPEC = SequenceSpec(task="classify", inputs=SequenceInputs(text="sentence"), target="mood")
GOOD, BAD, ANY = ("fine", "lovely", "great"), ("poor", "dull", "sad"), ("the", "film", "was")


def reviews(seed, n):
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        mood = str(random.choice(["bad", "good"]))
        words = [*random.choice(ANY, 3), *random.choice(GOOD if mood == "good" else BAD, 1)]
        rows.append({"sentence": " ".join(words), "mood": mood})
    return rows


def artifact(kind, folder):
    found = kind()
    found.uri = str(folder)
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from models.sequences.export.saved_model import export_sequence_model

    folder = tmp_path_factory.mktemp("world")
    splits = {"train": reviews(0, 60), "validation": reviews(1, 10), "test": reviews(2, 40)}
    store = make_sequences(SPEC, splits)
    store.save(folder / "windows")
    config = SequenceBaselinesConfig(names=("majority", "naive_bayes"), naive_bayes_binary=True)
    fit_baselines(store, config, folder / "baselines", {})
    export_sequence_model(
        TinyCore(store),
        folder / "model" / "Format-Serving",
        spec=store.spec,
        classes=store.classes,
        vocabularies=store.vocabularies,
        metadata={},
    )
    return folder


def run(world: Path, out: Path, model: Path, champion: Path | None = None, **settings):
    kinds = standard_artifacts.ModelEvaluation, standard_artifacts.ModelBlessing
    made = {
        "evaluation": artifact(kinds[0], out / "evaluation"),
        "blessing": artifact(kinds[1], out / "blessing"),
        "winner": artifact(standard_artifacts.Model, out / "winner"),
    }
    live = {"version": 7, "path": str(champion), "digest": "d" * 64}
    SequenceBacktestExecutor().Do(
        {
            "model": [artifact(standard_artifacts.Model, model)],
            "windows": [artifact(Windows, world / "windows")],
            "baselines": [artifact(Baselines, world / "baselines")],
        },
        {name: [found] for name, found in made.items()},
        {
            "config": SequenceBacktestSettings(**settings).canonical_json(),
            "champion": "" if champion is None else json.dumps(live),
        },
    )
    return read(out / "evaluation"), made["winner"], made["blessing"]


def test_naive_bayes_is_blessed_in_place_of_a_network_that_learned_nothing(world, tmp_path):
    found, winner, blessing = run(world, tmp_path, world / "model")
    assert list(found.models) == ["candidate", "majority", "naive_bayes"]
    assert found.models["naive_bayes"].accuracy > 0.9
    assert found.winner == "naive_bayes"
    assert winner.get_string_custom_property("source") == "naive_bayes"
    folder = world / "baselines" / "models" / "naive_bayes"
    for name in ("Format-Serving/saved_model.pb", "verification.npz"):
        assert (Path(winner.uri) / name).samefile(folder / name)
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_string_custom_property("blessing_message") == found.verdict.summary
    assert blessing.get_string_custom_property("current_model") == winner.uri
    assert (Path(blessing.uri) / "BLESSED").exists()


def test_a_champion_is_known_by_its_files_and_scored_as_it_is_served(world, tmp_path):
    bayes = world / "baselines" / "models" / "naive_bayes"
    found, winner, blessing = run(world, tmp_path / "a", world / "model", bayes / "Format-Serving")
    assert (found.champion.compared, found.champion.same_as) == (True, "naive_bayes")
    mine, live = found.models["naive_bayes"], found.models["champion"]
    assert live.accuracy == mine.accuracy
    assert live.log_loss == pytest.approx(mine.log_loss, rel=1e-5)
    assert found.winner == "naive_bayes"
    baseline = blessing.get_string_custom_property("baseline_model")
    assert baseline == str(bayes / "Format-Serving")
    # The same model once more, now as what was trained.
    found, winner, _ = run(world, tmp_path / "b", bayes, bayes / "Format-Serving")
    assert found.champion.same_model
    assert found.winner is None
    assert winner.get_string_custom_property("source") == "candidate"


def test_what_cannot_be_served_as_configured_makes_way(world, tmp_path):
    found, winner, _ = run(world, tmp_path, world / "model", streaming=True)
    # A bag of different words is not read word by word; the majority class needs no words at all.
    refusal = next(r for r in found.verdict.reasons if r.startswith("the baseline naive_bayes"))
    assert "serving.streaming asks for a model that reads a sequence step by step" in refusal
    mine, other = (found.models[name].accuracy for name in ("candidate", "majority"))
    assert mine <= other
    assert found.winner == winner.get_string_custom_property("source") == "majority"
