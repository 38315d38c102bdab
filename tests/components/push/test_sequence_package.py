"""A sequence model as MLflow has it answers as its SavedModel does."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from components.push.packaging import save_package
from models.sequences.export.loaded import LoadedSequenceModel
from models.sequences.export.saved_model import export_sequence_model
from models.sequences.export.verification import write_sequence_verification
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.models.sequences.tiny_core import TinyCore
from tests.sequences import make_sequences

VOWELS = SequenceSpec(
    task="classify", inputs=SequenceInputs(numbers=("c 1", "c2")), target="speaker"
)
WORDS = SequenceSpec(task="tag", inputs=SequenceInputs(symbols=("word",)), target="upos")
TEXTS = SequenceSpec(task="next_step", inputs=SequenceInputs(text="line", split="characters"))
DATA: dict[SequenceSpec, list[dict[str, Any]]] = {
    VOWELS: [
        {"c 1": [0.5, 1.0, -2.0], "c2": [1.0, 0.0, 3.0], "speaker": "a"},
        {"c 1": [4.0], "c2": [-1.0], "speaker": "b"},
        {"c 1": [1.0, 1.0], "c2": [2.0, 2.0], "speaker": "b"},
    ],
    WORDS: [
        {"word": ["show", "me"], "upos": ["VERB", "PRON"]},
        {"word": ["me"], "upos": ["PRON"]},
        {"word": ["flights", "to", "boston"], "upos": ["NOUN", "ADP", "PROPN"]},
    ],
    TEXTS: [{"line": "abba"}, {"line": "cab"}, {"line": "ba"}],
}


@pytest.mark.parametrize("spec", DATA, ids=lambda spec: spec.task)
def test_it_answers_as_the_saved_model(spec: SequenceSpec, tmp_path: Path) -> None:
    store = make_sequences(spec, {"train": DATA[spec]})
    core = TinyCore(store)
    saved, example = tmp_path / "saved", tmp_path / "verification.npz"
    export_sequence_model(
        core,
        saved,
        spec=spec,
        classes=store.classes,
        vocabularies=store.vocabularies,
        metadata={},
    )
    write_sequence_verification(core, store.view("train"), example)
    (tmp_path / "package").mkdir()
    folder = tmp_path / "package" / "model"
    package = mlflow.models.Model(model_uuid=uuid.uuid4().hex)
    save_package(saved, folder, package, example)

    loaded = mlflow.pyfunc.load_model(str(folder))
    frame = pd.DataFrame([{c: row[c] for c in spec.inputs.columns} for row in DATA[spec]])
    got = loaded.predict(frame)
    assert list(got.columns) == ["label", "probabilities"]
    direct = LoadedSequenceModel(saved)
    for position, row in enumerate(DATA[spec]):
        feed: dict[str, Any] = {}
        for column in spec.inputs.columns:
            kind = np.float32 if column in spec.inputs.numbers else object
            feed[column] = np.asarray([row[column]], kind)
        if spec.inputs.text is None:
            feed["length"] = np.asarray([len(row[spec.inputs.columns[0]])], np.int32)
        want = direct.answers(feed)
        np.testing.assert_allclose(
            np.asarray(got["probabilities"].iloc[position]), want["probabilities"][0], rtol=1e-5
        )
        labels = np.asarray(want["label"][0]).astype(object).tolist()
        names = [v.decode() if isinstance(v, bytes) else v for v in np.atleast_1d(labels)]
        assert np.atleast_1d(got["label"].iloc[position]).tolist() == names

    first = mlflow.models.Model.load(str(folder)).load_input_example(str(folder))
    assert len(loaded.predict(first)) == 1
    with pytest.raises(Exception, match=spec.inputs.columns[0]):
        loaded.predict(frame.drop(columns=spec.inputs.columns[0]))
    if len(spec.inputs.columns) > 1:
        uneven = pd.DataFrame([{"c 1": [1.0, 2.0], "c2": [1.0]}])
        with pytest.raises(Exception, match="one value per step each"):
            loaded.predict(uneven)
