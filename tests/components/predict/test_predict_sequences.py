from __future__ import annotations

import csv

import numpy as np
import pytest

from components.predict.sequences import predict_sequences
from components.sequences.config import SequenceDataConfig
from models.errors import BadInputError
from tests.models.sequences.stores import store_of

DATA = SequenceDataConfig(path="unused", sequence="id", step="pos")
ROWS = """pos,id,size,word,form,extra
2,b,2.5,old,b,x
1,b,1.5,the,a,x
1,a,4,boat,z,x
10,b,3.5,man,c,x
2,"a, too",1,the,a,x
1,"a, too",0,"q""q",b,x
"""


class Core:
    """A model in NumPy: what a sequence gets is told by the tiny core's own arithmetic."""

    def __init__(self, kind):
        from tests.models.sequences.tiny_core import TinyCore

        self.store = store_of(kind)
        self.spec, self.classes = self.store.spec, self.store.classes
        self.core = TinyCore(self.store)
        self.sizes = []

    def ids(self, column, symbols):
        known = {s: i + 2 for i, s in enumerate(self.store.vocabularies[column])}
        return np.asarray([known.get(s, 1) for s in symbols], np.int32)

    def probabilities(self, numbers, tokens):
        ids = [self.ids(c, tokens[c]) for c in self.spec.inputs.tokens]
        return self.core.reference(np.asarray(numbers, float).reshape(len(ids[0]), -1), ids)

    def answers(self, feed):
        self.sizes.append(feed["length"].tolist())
        time = feed["length"].max()
        probabilities = np.zeros((len(feed["length"]), time, len(self.classes)), np.float32)
        label = np.full(probabilities.shape[:2], b"", object)
        for row, n in enumerate(feed["length"]):
            probabilities[row, :n] = self.probabilities(
                np.stack([feed[c][row, :n] for c in self.spec.inputs.numbers], axis=-1),
                {c: feed[c][row, :n] for c in self.spec.inputs.tokens},
            )
            best = probabilities[row, :n].argmax(axis=-1)
            label[row, :n] = [self.classes[i].encode() for i in best]
        return {"probabilities": probabilities, "label": label}


def written(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(ROWS)
    return path


def test_every_step_gets_its_label_in_the_order_of_the_input(source, tmp_path):
    model = Core("tag")
    report = predict_sequences(
        DATA, model, str(source), tmp_path / "out.csv", probabilities=True, batch_size=2
    )
    assert report.model_dump() == {
        "rows": 6,
        "dropped": {},
        "sequences": 3,
        "left_out": 0,
        "labels": 6,
    }
    rows = written(tmp_path / "out.csv")
    assert list(rows[0]) == [
        "id",
        "step",
        "label",
        "probability",
        *(f"probability_{c}" for c in model.classes),
    ]
    assert [(r["id"], r["step"]) for r in rows] == [
        ("b", "1"),
        ("b", "2"),
        ("b", "3"),
        ("a", "1"),
        ("a, too", "1"),
        ("a, too", "2"),
    ]
    want = np.concatenate(
        [
            model.probabilities(size, {"word": words, "form": forms})
            for size, words, forms in (
                ([1.5, 2.5, 3.5], ["the", "old", "man"], "abc"),
                ([4], ["boat"], "z"),
                ([0, 1], ['q"q', "the"], "ba"),
            )
        ]
    )
    got = np.asarray([[float(r[f"probability_{c}"]) for c in model.classes] for r in rows])
    np.testing.assert_allclose(got, want, atol=1e-6)
    assert [r["label"] for r in rows] == [model.classes[i] for i in want.argmax(axis=1)]
    np.testing.assert_allclose([float(r["probability"]) for r in rows], want.max(axis=1), atol=1e-6)
    # Those of like length together.
    assert model.sizes == [[1, 2], [3]]


def test_the_size_of_what_is_held_changes_nothing(source, tmp_path, monkeypatch):
    predict_sequences(DATA, Core("tag"), str(source), tmp_path / "large.csv")
    monkeypatch.setattr("components.predict.sequences.POOL", 1)
    monkeypatch.setattr("components.predict.sequence_rows.BLOCK", 2)
    model = Core("tag")
    predict_sequences(DATA, model, str(source), tmp_path / "small.csv")
    assert model.sizes == [[3], [1], [2]]
    assert (tmp_path / "small.csv").read_bytes() == (tmp_path / "large.csv").read_bytes()


def test_bad_rows_end_it_or_leave_their_sequences_out(source, tmp_path):
    source.write_text(ROWS + "3,b,,man,c,x\n")
    out = tmp_path / "out.csv"
    out.write_text("as it was")
    with pytest.raises(BadInputError, match=r"1 of 7 row cannot be used \(missing number 1\)"):
        predict_sequences(DATA, Core("tag"), str(source), out)
    assert out.read_text() == "as it was"
    assert {p.name for p in tmp_path.iterdir()} == {"in.csv", "out.csv"}
    drop = DATA.model_copy(update={"on_bad_rows": "drop"})
    report = predict_sequences(drop, Core("tag"), str(source), out)
    assert (report.sequences, report.left_out, report.labels) == (2, 1, 3)
    assert report.dropped == {"missing number": 1}
    assert {r["id"] for r in written(out)} == {"a", "a, too"}


def test_a_column_that_the_model_reads_has_to_be_there(tmp_path):
    (tmp_path / "in.csv").write_text("id,pos,word,form\na,1,the,a\n")
    with pytest.raises(BadInputError, match="size"):
        predict_sequences(DATA, Core("tag"), str(tmp_path / "in.csv"), tmp_path / "out.csv")
    with pytest.raises(BadInputError, match="--input"):
        predict_sequences(DATA, Core("tag"), str(tmp_path / "no.csv"), tmp_path / "out.csv")


def test_an_exported_model_labels_texts(tmp_path):
    import pyarrow.parquet as pq

    from models.sequences.export.loaded import LoadedSequenceModel
    from models.sequences.export.saved_model import export_sequence_model

    reference = Core("classify_text")
    store = reference.store
    export_sequence_model(
        reference.core,
        tmp_path / "model",
        spec=store.spec,
        classes=store.classes,
        vocabularies=store.vocabularies,
        metadata={},
    )
    texts = ["Good film", "so bad, so bad", "völlig neu", 'a "quoted" film']
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["label", "Der Text"], *([f"t{i}", t] for i, t in enumerate(texts))]
        )
    # The column of ids is called as one of the output's.
    data = SequenceDataConfig(path="unused", sequence="label")
    report = predict_sequences(
        data,
        LoadedSequenceModel(tmp_path / "model"),
        str(tmp_path / "in.csv"),
        tmp_path / "out.parquet",
        probabilities=True,
    )
    assert (report.sequences, report.labels) == (4, 4)
    table = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert list(table) == ["sequence", "label", "probability", "probability_+", "probability_-"]
    assert table["sequence"] == ["t0", "t1", "t2", "t3"]
    words = ["good film", "so bad , so bad", "völlig neu", 'a " quoted " film']
    for i, text in enumerate(words):
        want = reference.probabilities(np.zeros((len(text.split()), 0)), {"Der Text": text.split()})
        got = [table["probability_+"][i], table["probability_-"][i]]
        np.testing.assert_allclose(got, want, atol=1e-6)
        assert table["label"][i] == store.classes[int(np.argmax(want))]


def test_texts_to_be_continued_have_a_row_for_each_symbol(tmp_path):
    class Next:
        spec, classes = store_of("next_text").spec, ("[UNK]", "x", "y")

        def answers(self, feed):
            steps = [max(1, len(text)) for text in feed["t"]]
            label = np.full((len(steps), max(steps)), b"", object)
            probabilities = np.zeros((*label.shape, 3), np.float32)
            for row, n in enumerate(steps):
                label[row, :n] = b"y"
                probabilities[row, :n] = [0.25, 0.25, 0.5]
            return {"label": label, "probabilities": probabilities}

    (tmp_path / "in.jsonl").write_text('{"t": "abc"}\n{"t": "ö"}\n')
    data = SequenceDataConfig(path="unused")
    predict_sequences(data, Next(), str(tmp_path / "in.jsonl"), tmp_path / "out.csv")
    rows = written(tmp_path / "out.csv")
    assert [(r["sequence"], r["step"], r["label"]) for r in rows] == [
        ("1", "1", "y"),
        ("1", "2", "y"),
        ("1", "3", "y"),
        ("2", "1", "y"),
    ]
