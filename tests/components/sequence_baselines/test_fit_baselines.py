from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from components.sequence_baselines.fit import fit_baselines
from components.sequence_baselines.stored import StoredSequenceBaselines
from components.serving_check.probe import Checks, serialized
from components.serving_check.sequence_probe import probe_sequences
from components.tracking.recorder import SilentRecorder, use
from models.errors import BadInputError, FailedRunError
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequence_baselines.registry import build
from models.sequences.export.loaded import LoadedSequenceModel
from models.sequences.predict import predict_core
from models.sequences.spec import SequenceInputs, SequenceSpec
from models.sequences.store import SequenceStore
from tests.sequences import make_sequences

KINDS = {
    "text": ("classify", SequenceInputs(text="said"), ("naive_bayes", "hmm")),
    "tags": (
        "tag",
        SequenceInputs(symbols=("word",), numbers=("x",)),
        ("most_frequent_tag", "hmm"),
    ),
    "language": ("next_step", SequenceInputs(symbols=("word",)), ("bigram", "hmm")),
}
SETTINGS = {"hmm_states": 2, "hmm_iterations": 2}


def made(kind, *, train=20, test=9):
    task, inputs, _ = KINDS[kind]
    rng = np.random.default_rng(3)
    splits = {}
    for split, number in (("train", train), ("test", test)):
        splits[split] = []
        for i in range(number):
            words = [f"w{k}" for k in rng.integers(0, 4 if split == "train" else 6, 2 + i % 6)]
            row = {"word": words, "said": " ".join(words), "x": rng.normal(size=len(words))}
            tags = ["even" if word in {"w0", "w2"} else "odd" for word in words]
            splits[split].append({**row, "label": tags if task == "tag" else tags[0]})
    target = None if task == "next_step" else "label"
    return make_sequences(SequenceSpec(task=task, inputs=inputs, target=target), splits)


def settings(kind, **more):
    return SequenceBaselinesConfig(names=KINDS[kind][2], **SETTINGS, **more)


class Notes(SilentRecorder):
    def __init__(self):
        self.seen, self.tagged, self.files = {}, {}, {}

    def params(self, values):
        self.seen.update(values)

    def metrics(self, values, step=None):
        self.seen.update(values)

    def tags(self, values):
        self.tagged.update(values)

    def data(self, values, path):
        self.files[path] = values


@functools.cache
def loaded(folder):
    return LoadedSequenceModel(folder / "Format-Serving")


@pytest.fixture(scope="module", params=list(KINDS))
def run(request, tmp_path_factory):
    store, folder = made(request.param), tmp_path_factory.mktemp(request.param)
    store.save(folder / "windows")
    notes = Notes()
    with use(notes):
        stored = fit_baselines(
            SequenceStore.load(folder / "windows"),
            settings(request.param),
            folder / "out",
            {"run_id": "r7"},
        )
    return store, settings(request.param), stored, notes


def test_predictions_facts_and_seconds_are_kept(run):
    store, config, written, notes = run
    stored = StoredSequenceBaselines.load(written.folder)
    test = store.view("test")
    assert stored == written
    assert stored.names == config.names
    assert (stored.sequences, stored.outcomes) == (9, len(test.labels()))
    assert not stored.refusals
    for name in stored.names:
        baseline = build(name, config)
        expected = predict_core(baseline.fit(store.view("train"), None), test)
        found = stored.predictions(name)
        np.testing.assert_array_equal(found.predicted, expected.predicted)
        np.testing.assert_allclose(found.probability, expected.probability, rtol=1e-6)
        assert stored.facts[name] == json.loads(json.dumps(baseline.describe()))
        assert stored.seconds[name] == notes.seen[f"{name}_seconds"] > 0
    assert notes.seen["names"] == list(config.names)
    assert notes.seen["hmm_states"] == 2
    assert notes.files["baselines.json"] == stored.facts


def test_each_is_a_model_that_answers_as_it_was_scored(run):
    store, _, stored, _ = run
    for name in stored.names:
        folder = stored.model(name)
        assert sorted(p.name for p in folder.iterdir()) == ["Format-Serving", "verification.npz"]
        model = loaded(folder)
        assert model.comparable(store) is None
        assert model.metadata["baseline"] == name
        assert model.metadata["run_id"] == "r7"
        assert model.metadata["train_sequences"] == 20
        served, scored = model.predict(store.view("test")), stored.predictions(name)
        np.testing.assert_array_equal(served.predicted, scored.predicted)
        np.testing.assert_allclose(served.probability, scored.probability, atol=1e-5)


def test_each_passes_the_checks_of_a_served_model(run):
    """What the serving check asks of it: alone, padded, as examples, step by step, sampled."""
    store, _, stored, _ = run
    for name in stored.names:
        folder = stored.model(name)
        model = loaded(folder)
        streams = not (name == "hmm" and store.spec.task == "tag")
        assert (model.metadata["streaming"] is not None) == streams
        checks = Checks()
        with np.load(folder / "verification.npz") as arrays:
            signatures = model._loaded.signatures
            probe_sequences(checks, signatures, model.metadata, dict(arrays), serialized)
        assert checks.results
        assert not [c for c in checks.results if not c["passed"]], name


@pytest.mark.parametrize("missing", ["train", "test"])
def test_a_split_without_sequences_is_bad_input_and_leaves_nothing(tmp_path, missing):
    store = made("text", **{missing: 0})
    with pytest.raises(BadInputError, match=f"no {missing} sequence"):
        fit_baselines(store, settings("text"), tmp_path / "out", {})
    assert not (tmp_path / "out").exists()


def test_a_baseline_of_another_task_is_bad_input(tmp_path):
    config = SequenceBaselinesConfig(names=("bigram",))
    with pytest.raises(BadInputError, match="is for next_step"):
        fit_baselines(made("text"), config, tmp_path / "out", {})


def test_what_cannot_be_served_is_scored_and_its_reason_kept(tmp_path):
    spec = SequenceSpec(
        task="tag", inputs=SequenceInputs(symbols=("a word", "a_word")), target="label"
    )
    sequence = {"a word": ["x", "y"], "a_word": ["u", "v"], "label": ["1", "2"]}
    store = make_sequences(spec, {"train": [sequence], "test": [sequence]})
    notes = Notes()
    with use(notes):
        fit_baselines(store, SequenceBaselinesConfig(names=("majority",)), tmp_path, {})
    stored = StoredSequenceBaselines.load(tmp_path)
    assert len(stored.predictions("majority")) == 2
    assert stored.model("majority") is None
    assert "a word" in stored.refusals["majority"]
    assert notes.tagged["elman.not_servable.majority"] == stored.refusals["majority"]


def test_an_unfinished_folder_is_refused(tmp_path):
    with pytest.raises(FailedRunError, match="no finished baselines"):
        StoredSequenceBaselines.load(tmp_path)
    (tmp_path / "baselines.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(FailedRunError, match="format 99"):
        StoredSequenceBaselines.load(tmp_path)
