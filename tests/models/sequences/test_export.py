from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from models.errors import BadInputError, FailedRunError
from models.export.metadata import description, model_digest, read_metadata
from models.sequences.core import SequenceCore
from models.sequences.export.loaded import LoadedSequenceModel
from models.sequences.export.saved_model import export_sequence_model
from models.sequences.export.verification import write_sequence_verification
from models.sequences.predict import predict_core
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.models.sequences.stores import KINDS, store_of
from tests.models.sequences.tiny_core import TinyCore
from tests.sequences import make_sequences


def export(core, store, folder, **metadata):
    export_sequence_model(
        core,
        folder,
        spec=store.spec,
        classes=store.classes,
        vocabularies=store.vocabularies,
        metadata=metadata,
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """By kind: a store, a core and what was exported of it, loaded."""
    root = tmp_path_factory.mktemp("exported")
    made = {}

    def one(kind):
        if kind not in made:
            store = store_of(kind)
            core = TinyCore(store)
            export(core, store, root / kind, run_id="r1", units={"x": "m"})
            made[kind] = store, core, LoadedSequenceModel(root / kind)
        return made[kind]

    return one


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_predicts_what_the_core_predicts(models, kind):
    store, core, loaded = models(kind)
    view = store.view("test")
    want = predict_core(core, view)
    got = loaded.predict(view, batch_size=2)
    np.testing.assert_array_equal(got.predicted, want.predicted)
    np.testing.assert_allclose(got.probability, want.probability, atol=1e-6)
    np.testing.assert_allclose(got.confidence, want.confidence, atol=1e-6)
    assert loaded.comparable(store) is None


def test_the_metadata_says_what_a_client_needs(models):
    _, _, loaded = models("classify_mixed")
    found = read_metadata(loaded.folder)
    assert found["task"] == "classify"
    assert found["classes"] == ["maybe", "nö", "yes"]
    assert found["inputs"] == {
        "Größe (m)": "Gro_e_m",
        "x": "x",
        "word": "word",
        "length": "length",
    }
    assert found["input_shapes"] == {"Größe (m)": [-1], "x": [-1], "word": [-1], "length": []}
    assert set(found["input_types"].values()) == {"float32", "string", "int32"}
    assert found["outputs"] == {n: n for n in ("probabilities", "classes", "label")}
    assert found["streaming"] == {
        "inputs": {"Größe (m)": [], "x": [], "word": []},
        "state": {"state_h": [4]},
    }
    assert found["streaming_refusal"] is None
    assert found["units"] == {"x": "m"}
    assert len(model_digest(loaded.folder)) == 64
    signature = tf.saved_model.load(str(loaded.folder)).signatures["describe"]
    (said,) = signature(rows=tf.constant([0]))["metadata"].numpy()
    assert json.loads(said) == json.loads(description(found))
    assert "run_id" not in json.loads(said)


def test_padding_may_be_anything(models):
    _, _, loaded = models("tag")
    feed = {
        "size": np.array([[1, 2, 3], [5, np.nan, np.inf]], np.float32),
        "word": np.array([["the", "old", "man"], ["man", "the", "\xff"]], object),
        "form": np.array([["a", "b", "c"], ["c", "", "a"]], object),
        "length": np.array([3, 1], np.int32),
    }
    together = loaded.answers(feed)
    for row, length in enumerate(feed["length"]):
        alone = loaded.answers(
            {
                k: v[row : row + 1, :length] if v.ndim == 2 else v[row : row + 1]
                for k, v in feed.items()
            }
        )
        np.testing.assert_allclose(
            together["probabilities"][row, :length], alone["probabilities"][0], atol=1e-6
        )
        assert list(together["label"][row, :length]) == list(alone["label"][0])
        assert (together["probabilities"][row, length:] == 0).all()
        assert list(together["label"][row, length:]) == [b""] * (3 - length)
    np.testing.assert_allclose(together["probabilities"].sum(-1)[0], 1, atol=1e-5)


def test_unknown_words_get_the_answer_of_the_unknown_symbol(models):
    _, core, loaded = models("classify_text")
    texts = np.array(["qwerty zzz", "\udcff".encode("utf-8", "surrogateescape"), ""], object)
    got = loaded.answers({"Der Text": texts})
    unknown = np.ones(2, np.int32)
    np.testing.assert_allclose(
        got["probabilities"][0], core.reference(np.zeros((2, 0)), [unknown]), atol=1e-6
    )
    # Also of a text that holds no symbol: as if it held one that nobody knows.
    for row in (1, 2):
        np.testing.assert_allclose(
            got["probabilities"][row], core.reference(np.zeros((1, 0)), [unknown]), atol=1e-6
        )


def test_a_text_without_symbols_has_one_step(models):
    _, _, loaded = models("next_text")
    got = loaded.answers({"t": np.array(["", "hä"], object)})
    assert np.isfinite(got["next_probabilities"]).all()
    np.testing.assert_allclose(got["next_probabilities"].sum(-1), 1, atol=1e-5)
    assert got["probabilities"].shape[:2] == (2, 2)
    assert (got["label"][0] != b"").tolist() == [True, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": [4]}, "length must be from 1"),
        ({"length": [0]}, "length must be from 1"),
        ({"length": [-1]}, "length must be from 1"),
        ({"length": [1, 1]}, "length must have a value for each sequence"),
        ({"size": [[1.0]]}, "one shape"),
    ],
)
def test_lengths_that_cannot_be_are_invalid_arguments(models, change, message):
    _, _, loaded = models("tag")
    good = {
        "size": [[1.0, 2.0, 3.0]],
        "word": [["the", "old", "man"]],
        "form": [["a", "b", "c"]],
        "length": [3],
    }
    loaded.answers(good)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        loaded.answers(good | change)


def test_lists_of_an_example_must_be_of_one_length(models):
    from models.export.warmup import serialized_example

    _, _, loaded = models("tag")
    signature = tf.saved_model.load(str(loaded.folder)).signatures["serve_examples"]

    def ask(**columns):
        return signature(examples=tf.constant([serialized_example(columns)]))

    size = np.ones(2, np.float32)
    two, one = np.array(["a", "b"]), np.array(["a"])
    assert ask(size=size, word=two, form=two)["label"].shape == (1, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="one length"):
        ask(size=size, word=one, form=two)
    with pytest.raises(tf.errors.InvalidArgumentError, match="length must be from 1"):
        ask(size=size[:0], word=one[:0], form=one[:0])


def test_columns_with_the_names_of_inputs_of_our_own_are_refused(tmp_path):
    steps = SequenceSpec(task="next_step", inputs=SequenceInputs(symbols=("Seed",)))
    store = make_sequences(steps, {"train": [{"Seed": "ab"}]})
    with pytest.raises(BadInputError, match=r"'Seed'.*rename"):
        export(TinyCore(store), store, tmp_path / "m")
    tags = SequenceSpec(task="tag", inputs=SequenceInputs(symbols=("LENGTH",)), target="y")
    store = make_sequences(tags, {"train": [{"LENGTH": "ab", "y": "cd"}]})
    with pytest.raises(BadInputError, match=r"'LENGTH'.*rename"):
        export(TinyCore(store), store, tmp_path / "m")
    good = store_of("tag")
    with pytest.raises(BadInputError, match="classes"):
        export(TinyCore(good), good, tmp_path / "m", classes=["x"])
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_streamed_says_why(tmp_path):
    store = store_of("tag")
    export(TinyCore(store, steps=False), store, tmp_path / "m")
    found = read_metadata(tmp_path / "m")
    assert found["streaming"] is None
    assert "whole sequences" in found["streaming_refusal"]
    assert "stream_step" not in tf.saved_model.load(str(tmp_path / "m")).signatures


def test_other_classes_and_columns_can_be_compared_and_other_tasks_not(models):
    _, _, loaded = models("classify_mixed")
    inputs = SequenceInputs(symbols=("word",), numbers=("x", "Größe (m)", "more"), lowercase=True)
    spec = SequenceSpec(task="classify", inputs=inputs, target="y")
    sequences = [
        {"word": ["q", "a"], "x": [1, 2], "Größe (m)": [3, 4], "more": [0, 0], "y": y}
        for y in ("yes", "other")
    ]
    store = make_sequences(spec, {"train": sequences, "test": sequences})
    assert loaded.comparable(store) is None
    got = loaded.predict(store.view("test"))
    answers = loaded.answers(store.view("test").feed())
    for row, label in enumerate(answers["label"]):
        name = label.decode()
        assert got.predicted[row] == (store.classes.index(name) if name in store.classes else -1)
    yes = list(loaded.classes).index("yes")
    np.testing.assert_allclose(got.probability, [answers["probabilities"][0, yes], 0])

    for change, reason in (
        ({"target": "z"}, "learned 'y'"),
        ({"inputs": inputs.model_copy(update={"numbers": ("x",)})}, "Größe"),
        ({"task": "tag"}, "its task is classify"),
    ):
        other = type("Store", (), {"spec": spec.model_copy(update=change)})
        assert reason in loaded.comparable(other)
    with pytest.raises(BadInputError, match="cannot judge"):
        loaded.predict(models("tag")[0].view("test"))


def test_a_model_without_numbers_is_not_verified(tmp_path):
    class Broken(SequenceCore):
        def __call__(self, numbers, tokens, length):
            return tf.fill([tf.shape(length)[0], 3], float("nan"))

    store = store_of("classify_mixed")
    with pytest.raises(FailedRunError, match="nan"):
        write_sequence_verification(Broken(), store.view("test"), tmp_path / "v.npz")
    with pytest.raises(FailedRunError, match="no sequence"):
        write_sequence_verification(Broken(), store.view("validation"), tmp_path / "v.npz")
    assert not list(tmp_path.iterdir())


def test_what_is_verified_has_several_lengths(tmp_path):
    store = store_of("classify_mixed")
    view = store.view("train")
    write_sequence_verification(TinyCore(store), view, tmp_path / "v.npz", n=3)
    with np.load(tmp_path / "v.npz") as arrays:
        steps = arrays["steps"]
        assert (steps[0], steps[-1]) == (view.steps.min(), view.steps.max())
        assert arrays["input.word"].shape == (3, steps.max())
        assert arrays["output.probabilities"].shape == (3, 3)


def test_a_sequence_model_is_no_forecaster(models):
    from models.export.loaded import LoadedForecaster
    from models.history.recipe import WindowRecipe

    _, _, loaded = models("tag")
    with pytest.raises(BadInputError, match="task tag, which reads whole sequences"):
        LoadedForecaster(loaded.folder)
    with pytest.raises(BadInputError, match="version 3 is a model of the task tag"):
        WindowRecipe.of(loaded.metadata, "version 3")


def test_a_folder_of_another_kind_is_no_sequence_model(tmp_path):
    with pytest.raises(BadInputError, match=r"elman\.json"):
        LoadedSequenceModel(tmp_path)
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "elman.json").write_text('{"format": 1, "task": "forecast"}')
    with pytest.raises(BadInputError, match="forecast"):
        LoadedSequenceModel(tmp_path)
