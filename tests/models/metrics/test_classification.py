from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import calibration, metrics

from models.metrics.calibration import Reliability
from models.metrics.classification import ClassScores, surprises
from models.metrics.confusion import OTHERS, UNKNOWN_CLASS, Confusion
from models.sequences.predictions import SequencePredictions

INT = np.int32


@st.composite
def outcomes(draw, unknown=True):
    """Labels, probabilities of every class and what these come to."""
    classes, n = draw(st.integers(2, 6)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = random.integers(-1 if unknown else 0, classes, n).astype(INT)
    table = random.dirichlet(np.full(classes, 0.5), n).astype(np.float32)
    return classes, labels, table, SequencePredictions.of(table, labels)


@given(outcomes())
@settings(max_examples=60, deadline=None)
def test_counts_come_to_what_scikit_learn_says(case):
    classes, labels, table, predictions = case
    found = ClassScores.of(labels, predictions, classes)
    assert found.accuracy == metrics.accuracy_score(labels, predictions.predicted)
    every = list(range(classes))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predictions.predicted, labels=every, zero_division=np.nan
    )
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_array_equal(found.support, support)
    np.testing.assert_allclose(found.f1, f1)
    known = labels >= 0
    assert found.unknown == np.count_nonzero(~known)
    if not known.any():
        assert np.isnan([found.macro_f1, found.log_loss, found.perplexity]).all()
        return
    macro = metrics.f1_score(
        labels, predictions.predicted, labels=np.unique(labels[known]), average="macro"
    )
    assert found.macro_f1 == pytest.approx(macro)
    # scikit-learn cuts probabilities off where ours do not.
    if predictions.probability[known].min() > 1e-6:
        exact = table[known].astype(float)
        exact /= exact.sum(axis=1, keepdims=True)  # float32 does not sum to 1
        expected = metrics.log_loss(labels[known], exact, labels=every)
        assert found.log_loss == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert found.perplexity == pytest.approx(np.exp(expected), rel=1e-4)
    terms = surprises(labels, predictions)
    assert terms[known].mean() == pytest.approx(found.log_loss)
    assert not terms[~known].any()


def predictions_of(predicted, probability=None):
    half = np.full(len(predicted), 0.5, np.float32)
    given = half if probability is None else np.asarray(probability, np.float32)
    return SequencePredictions(np.asarray(predicted, INT), given, half)


def test_an_impossible_label_costs_much_but_not_everything():
    found = ClassScores.of(np.array([0, 1], INT), predictions_of([0, 0], [1.0, 0.0]), 2)
    assert found.log_loss == pytest.approx(-np.log(np.finfo(np.float32).tiny) / 2)


def test_a_model_without_numbers_is_wrong_and_has_no_log_loss():
    labels = np.array([0, 1, 1], INT)
    found = ClassScores.of(labels, predictions_of([0, 1, 1], [0.5, np.nan, 0.5]), 2)
    assert found.accuracy == pytest.approx(2 / 3)
    assert np.isnan([found.log_loss, found.perplexity]).all()


def test_unknown_labels_are_wrong_and_left_out_of_the_log_loss():
    found = ClassScores.of(np.array([0, -1], INT), predictions_of([0, -1], [0.25, 0.0]), 2)
    assert (found.accuracy, found.unknown, found.macro_f1) == (0.5, 1, 1.0)
    assert found.log_loss == pytest.approx(np.log(4))
    assert found.perplexity == pytest.approx(4)


def test_no_labels_have_no_metrics():
    found = ClassScores.of(np.zeros(0, INT), predictions_of([]), 3)
    assert np.isnan(list(found.overall.values())).all()


def test_predictions_of_other_labels_are_refused():
    with pytest.raises(ValueError, match="3 predictions of 2 labels"):
        ClassScores.of(np.zeros(2, INT), predictions_of([0, 0, 0]), 2)


@given(outcomes())
@settings(max_examples=30, deadline=None)
def test_confusion_is_that_of_scikit_learn(case):
    classes, labels, _, predictions = case
    names = tuple(f"class {i}" for i in range(classes))
    found = Confusion.of(labels, predictions, names)
    assert found.names == (*names, UNKNOWN_CLASS)
    expected = metrics.confusion_matrix(labels, predictions.predicted, labels=[*range(classes), -1])
    np.testing.assert_array_equal(found.counts, expected)
    small = found.trimmed()
    assert small.counts.sum() == len(labels)
    assert set(small.names) <= set(found.names)


def test_rare_classes_are_shown_together():
    labels = np.array([2, 2, 2, 0, 0, 1, 3, -1], INT)
    predicted = predictions_of([2, 2, 0, 0, 1, 3, -1, 2])
    found = Confusion.of(labels, predicted, ("a", "b", "c", "d"), most=2)
    assert found.names == ("a", "c", OTHERS, UNKNOWN_CLASS)
    expected = [[1, 0, 1, 0], [1, 2, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]]
    np.testing.assert_array_equal(found.counts, expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_reliability_is_the_curve_of_scikit_learn(seed, n):
    random = np.random.default_rng(seed)
    confidence = random.random(n).astype(np.float32)
    right = random.random(n) < confidence
    found = Reliability.of(confidence, right, bins=10)
    accuracy, mean = calibration.calibration_curve(right, confidence, n_bins=10, pos_label=True)
    filled = found.count > 0
    np.testing.assert_allclose(found.accuracy[filled], accuracy)
    np.testing.assert_allclose(found.confidence[filled], mean, rtol=1e-5)
    assert found.count.sum() == n
    assert found.error == pytest.approx(
        sum(found.count[filled] * np.abs(accuracy - mean)) / n, rel=1e-5
    )


def test_certainty_is_in_the_last_bin_and_nan_in_none():
    found = Reliability.of(np.array([1.0, np.nan, 0.0]), np.array([True, True, False]), bins=4)
    assert found.count.tolist() == [1, 0, 0, 1]
    assert found.error == 0
    assert np.isnan(Reliability.of(np.zeros(0), np.zeros(0, bool)).error)
