from __future__ import annotations

import csv

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from models.sequence_baselines.naive_bayes import NaiveBayes
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences
from tests.shared_data import shared_data


def logits_of(core, view):
    batch = view.batch()
    tokens = tuple(tf.constant(batch.tokens[c]) for c in view.store.spec.inputs.tokens)
    return core(tf.constant(batch.numbers), tokens, tf.constant(batch.length)).numpy()


def sentences(part, number):
    with shared_data("sst2", f"{part}.tsv").open() as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:number]
    return [row[0] for row in rows], [row[1] for row in rows]


@pytest.fixture(scope="module")
def reviews():
    train, test = sentences("train", 800), sentences("test", 400)
    spec = SequenceSpec(task="classify", inputs=SequenceInputs(text="t"), target="y")
    splits = {
        split: [{"t": t, "y": y} for t, y in zip(*rows, strict=True)]
        for split, rows in (("train", train), ("test", test))
    }
    return make_sequences(spec, splits), train, test


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("alpha", [1.0, 0.1])
def test_reviews_are_judged_as_scikit_learn_judges_them(reviews, alpha, binary):
    store, (texts, labels), (unseen, truth) = reviews
    bags = CountVectorizer(token_pattern=r"\S+", lowercase=False, binary=binary).fit(texts)
    theirs = MultinomialNB(alpha=alpha).fit(bags.transform(texts), labels)
    expected = theirs.predict_log_proba(bags.transform(unseen))
    baseline = NaiveBayes(alpha, binary=binary)
    core = baseline.fit(store.view("train"), None)
    found = logits_of(core, store.view("test"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    right = np.mean(found.argmax(axis=1) == store.view("test").labels())
    assert right == theirs.score(bags.transform(unseen), truth)
    assert right > 0.65
    assert baseline.describe()["symbols"] == bags.transform(texts).sum()
    assert baseline.describe()["features"] == len(bags.vocabulary_)
    assert isinstance(core.stepper(), str) == binary


def test_columns_are_features_apart_and_unknown_symbols_say_nothing(make):
    store = make("classify", SequenceInputs(symbols=("a", "b"), vocabulary=6))
    core = NaiveBayes().fit(store.view("train"), None)

    def bags(view):
        blocks = []
        for column in ("a", "b"):
            known = {w: i for i, w in enumerate(store.vocabularies[column])}
            block = np.zeros((len(view), len(known)))
            for row, i in enumerate(view.index):
                for code in store.codes[column][store.offsets[i] : store.offsets[i + 1]]:
                    if (place := known.get(store.symbols[column][code])) is not None:
                        block[row, place] += 1
            blocks.append(block)
        return sparse.csr_array(np.concatenate(blocks, axis=1))

    train, test = store.view("train"), store.view("test")
    assert any((test.token_ids(c) == 1).any() for c in ("a", "b"))
    theirs = MultinomialNB().fit(bags(train), train.labels())
    np.testing.assert_allclose(
        logits_of(core, test), theirs.predict_log_proba(bags(test)), rtol=1e-4, atol=1e-5
    )
