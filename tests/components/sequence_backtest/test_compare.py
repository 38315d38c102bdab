from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn import metrics

from components.sequence_backtest.compare import compare
from components.sequence_backtest.config import HIGHER_IS_BETTER, SEQUENCE_METRICS
from models.sequences.predictions import SequencePredictions
from models.sequences.spec import SequenceInputs, SequenceSpec
from tests.sequences import make_sequences

TAGS = ("ADJ", "NOUN", "VERB", "X")


def sentences(seed, n, tags):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 6, n)
    return [{"word": ["w"] * m, "tag": list(random.choice(tags, m))} for m in lengths]


@pytest.fixture(scope="module")
def view():
    spec = SequenceSpec(task="tag", inputs=SequenceInputs(symbols=("word",)), target="tag")
    # Of X there are no labels in the test split; of NEW there are none to learn from.
    splits = {"train": sentences(0, 20, TAGS), "test": sentences(1, 6, (*TAGS[:3], "NEW"))}
    return make_sequences(spec, splits).view("test")


def model(view, seed):
    labels = view.labels()
    random = np.random.default_rng(seed)
    return SequencePredictions.of(
        random.dirichlet(np.ones(len(TAGS)), len(labels)).astype(np.float32), labels
    )


def value(metric, labels, predicted, probability):
    known = labels >= 0
    if metric == "accuracy":
        return metrics.accuracy_score(labels, predicted)
    if metric == "macro_f1":
        return metrics.f1_score(labels, predicted, labels=np.unique(labels[known]), average="macro")
    loss = -np.log(probability[known].astype(float)).mean()
    return loss if metric == "log_loss" else math.exp(loss)


@pytest.mark.parametrize("metric", SEQUENCE_METRICS)
def test_sequences_are_exchanged_in_every_way(view, metric):
    labels, a, b = view.labels(), model(view, 2), model(view, 3)
    place = np.repeat(np.arange(len(view)), view.outcomes)
    drawn = []
    for coins in itertools.product([False, True], repeat=len(view)):
        swap = np.array(coins)[place]
        first, second = (
            value(
                metric,
                labels,
                np.where(swap, x.predicted, y.predicted),
                np.where(swap, x.probability, y.probability),
            )
            for x, y in ((b, a), (a, b))
        )
        drawn.append(first - second)
    found = compare(view, metric, a, b)
    assert (found.test, found.resamples, found.sequences) == ("randomization", 0, 6)
    assert found.difference == pytest.approx(drawn[0])
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    differences = sign * np.array(drawn)
    assert found.p_better == pytest.approx(np.mean(differences >= differences[0] - 1e-9))
    assert found.p_two_sided == pytest.approx(
        np.mean(np.abs(differences) >= abs(differences[0]) - 1e-9)
    )


def test_accuracy_of_whole_sequences_is_tested_exactly():
    spec = SequenceSpec(task="classify", inputs=SequenceInputs(symbols=("word",)), target="y")
    rows = [{"word": ["w"], "y": y} for y in "ab" * 6]
    view = make_sequences(spec, {"train": rows, "test": rows}).view("test")
    labels = view.labels()
    half = np.full(len(labels), 0.5, np.float32)
    wrong = labels.copy()
    wrong[:5] = 1 - wrong[:5]
    right, poor = (SequencePredictions(p, half, half) for p in (labels, wrong))
    found = compare(view, "accuracy", right, poor)
    assert (found.test, found.p_better, found.differing) == ("mcnemar", 1 / 32, 5)
    assert compare(view, "macro_f1", right, poor).test == "randomization"


def test_without_known_labels_there_is_nothing_to_compare():
    spec = SequenceSpec(task="tag", inputs=SequenceInputs(symbols=("word",)), target="tag")
    test = [{"word": ["w"], "tag": ["NEW"]}]
    view = make_sequences(spec, {"train": sentences(0, 5, TAGS), "test": test}).view("test")
    for metric in ("macro_f1", "log_loss", "perplexity"):
        found = compare(view, metric, model(view, 1), model(view, 2))
        assert math.isnan(found.difference)
        assert math.isnan(found.p_better)
