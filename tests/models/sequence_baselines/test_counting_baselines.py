"""Majority, most frequent tag and bigram against counts in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from models.sequence_baselines.bigram import Bigram, BigramCore, count_pairs
from models.sequence_baselines.majority import Majority
from models.sequence_baselines.most_frequent_tag import MostFrequentTag
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences


def words(store, split):
    """Each sequence's symbols in plain text, unknown ones as the store names them."""
    column = store.spec.inputs.tokens[0]
    known = set(store.vocabularies[column])
    first, stop = store.splits[split]
    found = []
    for i in range(first, stop):
        codes = store.codes[column][store.offsets[i] : store.offsets[i + 1]]
        found.append([s if (s := store.symbols[column][c]) in known else "[UNK]" for c in codes])
    return found


def ids_of(store, symbols):
    column = store.spec.inputs.tokens[0]
    return [store.vocabularies[column].index(s) + 2 if s != "[UNK]" else 1 for s in symbols]


def probabilities(core, ids):
    ids = tf.constant([ids], tf.int32)
    length = tf.constant([ids.shape[1]], tf.int32)
    return np.exp(core(tf.zeros([1, ids.shape[1], 0]), (ids,), length).numpy()[0].astype(float))


@pytest.fixture(scope="module")
def language(make):
    return make("next_step", SequenceInputs(symbols=("a",), vocabulary=8))


def test_the_majority_is_the_most_frequent_class(make):
    store = make("classify", SequenceInputs(numbers=("x", "y")), train=50)
    majority = Majority()
    core = majority.fit(store.view("train"), None)
    logits = core(tf.zeros([2, 4, 2]), (), tf.constant([4, 1])).numpy()
    # 50 sequences of 3 classes in turn.
    np.testing.assert_allclose(np.exp(logits), [np.array([18, 18, 17]) / 53] * 2, rtol=1e-6)
    assert majority.describe() == {"class": "class0", "share": 17 / 50, "labels": 50}


def test_the_majority_of_next_symbols_does_not_count_what_stands_first(language):
    counts = Counter(s for sequence in words(language, "train") for s in sequence[1:])
    found = probabilities(Majority().fit(language.view("train"), None), [2])[0]
    total = sum(counts.values()) + len(language.classes)
    expected = [(counts[name] + 1) / total for name in language.classes]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_tags_of_a_symbol_are_those_it_has_in_the_train_split(make):
    store = make("tag", SequenceInputs(symbols=("a", "b"), vocabulary=9))
    baseline = MostFrequentTag()
    core = baseline.fit(store.view("train"), None)
    stop = store.offsets[store.splits["train"][1]]
    tags = [store.classes[i] for i in store.labels[:stop]]
    symbols = [s for sequence in words(store, "train") for s in sequence]
    pairs, overall = Counter(zip(symbols, tags, strict=True)), Counter(tags)
    share = {t: (overall[t] + 1) / (len(tags) + len(store.classes)) for t in store.classes}
    alone = Counter(symbols)
    known = list(store.vocabularies["a"])
    table = np.exp(core.table.numpy())
    for i, symbol in enumerate(known):
        expected = [(pairs[symbol, t] + share[t]) / (alone[symbol] + 1) for t in store.classes]
        np.testing.assert_allclose(table[i + 2], expected, rtol=1e-5)
        best = max(store.classes, key=lambda t: (pairs[symbol, t], overall[t]))
        assert store.classes[table[i + 2].argmax()] == best
    np.testing.assert_allclose(table[1], [share[t] for t in store.classes], rtol=1e-5)
    facts = baseline.describe()
    assert facts["column"] == "a"
    assert facts["symbols"] == len(known)
    assert facts["unknown"] == overall.most_common(1)[0][0]


def test_of_equally_frequent_tags_the_one_more_frequent_overall_is_taken():
    spec = SequenceSpec(task="tag", inputs=SequenceInputs(symbols=("w",)), target="y")
    sequence = {"w": ["tie", "tie", "other"], "y": ["a", "z", "z"]}
    store = make_sequences(spec, {"train": [sequence]})
    core = MostFrequentTag().fit(store.view("train"), None)
    assert probabilities(core, ids_of(store, ["tie"]))[0].argmax() == store.classes.index("z")


@pytest.mark.parametrize("discount", [0.3, 0.75])
def test_bigrams_are_interpolated_kneser_ney(language, discount):
    core = Bigram(discount).fit(language.view("train"), None)
    pairs, after, before = Counter(), defaultdict(set), defaultdict(set)
    for sequence in words(language, "train"):
        for h, w in pairwise(sequence):
            pairs[h, w] += 1
            after[h].add(w)
            before[w].add(h)
    classes = language.classes
    kinds = sum(len(b) for b in before.values())
    single = {
        w: max(len(before[w]) - discount, 0) / kinds + discount * len(before) / kinds / len(classes)
        for w in classes
    }
    found = probabilities(core, ids_of(language, classes))
    for h, row in zip(classes, found, strict=True):
        total = sum(pairs[h, w] for w in classes)
        share = discount * len(after[h]) / total if total else 1.0
        kept = {w: max(pairs[h, w] - discount, 0) / total if total else 0.0 for w in classes}
        expected = [kept[w] + share * single[w] for w in classes]
        np.testing.assert_allclose(row, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)


def test_bigrams_take_room_for_the_pairs_that_were_seen():
    rng = np.random.default_rng(0)
    classes, steps = 20_001, 30_000
    before, after = rng.integers(1, classes + 1, steps), rng.integers(0, classes, steps)
    core = BigramCore(count_pairs(before, after, classes, 0.75))
    assert sum(int(tf.size(v)) for v in core.variables) < 3 * classes + 2 * steps + 10
    unseen = np.setdiff1d(np.arange(1, classes + 1), before)[0]
    found = probabilities(core, [int(before[0]), int(unseen), 0])
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-4)
    # After a symbol that nothing followed, the single symbols are all there is; padding too.
    np.testing.assert_allclose(found[1], np.exp(core.single.numpy()), rtol=1e-4)
    np.testing.assert_array_equal(found[1], found[2])
    assert found[0, after[0]] > 10 * found[1, after[0]]
