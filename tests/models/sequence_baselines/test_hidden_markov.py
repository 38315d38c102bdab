"""Hidden Markov cores against the recursions in NumPy, sequence by sequence."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.hmm.baum_welch import fit_categorical, fit_gaussian
from models.hmm.recursions import forward, posterior
from models.hmm.supervised import count_chain, count_symbols, fit_numbers
from models.sequence_baselines.config import SequenceBaselinesConfig
from models.sequence_baselines.hmm import HiddenMarkov
from models.sequences.spec import SequenceInputs

CONFIG = SequenceBaselinesConfig(hmm_states=3, hmm_iterations=4, hmm_alpha=0.2, hmm_seed=5)
FIT = {"states": 3, "iterations": 4, "alpha": 0.2, "seed": 5}


def fitted(store):
    baseline = HiddenMarkov(CONFIG)
    core = baseline.fit(store.view("train"), None)
    batch = store.view("test").batch()
    tokens = tuple(tf.constant(batch.tokens[c]) for c in store.spec.inputs.tokens)
    return core(tf.constant(batch.numbers), tokens, tf.constant(batch.length)).numpy(), baseline


def sequences(view):
    """Ids (of the first column) and numbers of each sequence."""
    cuts = np.cumsum(view.steps)[:-1]
    columns = view.store.spec.inputs.tokens
    ids = [np.split(view.token_ids(c), cuts) for c in columns]
    return ids, np.split(view.numbers(), cuts)


@pytest.mark.parametrize("kind", ["numbers", "symbols"])
def test_a_class_is_weighed_by_its_own_model_and_its_share(make, kind):
    inputs = (
        SequenceInputs(numbers=("x", "y"))
        if kind == "numbers"
        else SequenceInputs(symbols=("a",), vocabulary=9)
    )
    store = make("classify", inputs, train=50)
    logits, baseline = fitted(store)
    train, test = store.view("train"), store.view("test")
    everything = train.numbers().astype(float)
    expected = []
    for label in range(3):
        part = train.take(np.flatnonzero(train.labels() == label))
        if kind == "numbers":
            mean, deviation = everything.mean(axis=0), everything.std(axis=0)
            fit = fit_gaussian(part.numbers(), part.steps, mean=mean, deviation=deviation, **FIT)
            data = sequences(test)[1]
        else:
            kinds = len(store.vocabularies["a"]) + 1
            fit = fit_categorical(part.token_ids("a") - 1, part.steps, kinds=kinds, **FIT)
            data = [ids - 1 for ids in sequences(test)[0][0]]
        likelihood = [
            forward(fit.chain, fit.emission.log_density(row)).log_likelihood for row in data
        ]
        expected.append(np.asarray(likelihood) + np.log(len(part) / len(train)))
        facts = baseline.describe()["classes"][f"class{label}"]
        assert facts["log_likelihood_last"] * part.steps.sum() == pytest.approx(
            fit.log_likelihood[-1]
        )
        assert facts["states"] == 3
    joint = np.stack(expected, axis=1)
    joint -= np.logaddexp.reduce(joint, axis=1, keepdims=True)
    np.testing.assert_allclose(logits, joint, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("mixed", [False, True])
def test_a_tag_has_its_posterior_given_the_whole_sequence(make, mixed):
    inputs = SequenceInputs(symbols=("a", "b"), numbers=("x", "y") if mixed else (), vocabulary=9)
    store = make("tag", inputs)
    logits, _ = fitted(store)
    train, test = store.view("train"), store.view("test")
    tags = train.labels()
    chain = count_chain(tags, train.steps, kinds=3, alpha=0.2)
    columns = [
        count_symbols(
            train.token_ids(c) - 1,
            tags,
            kinds=3,
            vocabulary=len(store.vocabularies[c]) + 1,
            alpha=0.2,
        )
        for c in ("a", "b")
    ]
    gaussian = fit_numbers(train.numbers(), tags, kinds=3) if mixed else None
    (first, second), numbers = sequences(test)
    for row, (a, b, x) in enumerate(zip(first, second, numbers, strict=True)):
        density = columns[0].log_density(a - 1) + columns[1].log_density(b - 1)
        if gaussian is not None:
            density = density + gaussian.log_density(x)
        np.testing.assert_allclose(
            np.exp(logits[row, : len(a)]), posterior(chain, density), atol=1e-5
        )


def test_the_next_symbol_is_what_the_forward_recursion_expects(make):
    store = make("next_step", SequenceInputs(symbols=("a",), vocabulary=9))
    logits, _ = fitted(store)
    train, test = store.view("train"), store.view("test")
    # All symbols of the train split, the last of each sequence too: row by row from the store.
    stop = store.offsets[store.splits["train"][1]]
    ids = store.token_ids("a")[store.codes["a"][:stop]]
    fit = fit_categorical(ids - 1, train.steps + 1, kinds=len(store.classes), **FIT)
    for row, symbols in enumerate(sequences(test)[0][0]):
        state = forward(fit.chain, fit.emission.log_density(symbols - 1)).state
        expected = state @ fit.chain.transition @ fit.emission.probability
        np.testing.assert_allclose(np.exp(logits[row, : len(symbols)]), expected, atol=1e-5)
