"""The cross-entropy, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight

from models.errors import BadInputError
from models.sequences.losses import ClassLoss, weights_of

RNG = np.random.default_rng(6)
LOGITS = RNG.normal(size=(4, 5, 3)).astype(np.float32) * 3
LABELS = RNG.integers(0, 3, (4, 5)).astype(np.int32)
LABELS[0, 3:] = -1
LABELS[2, 1] = -1
KNOWN = LABELS >= 0
WEIGHTS = np.array([0.5, 1.0, 4.0], np.float32)


def test_it_is_the_log_loss_of_the_known_labels() -> None:
    total, cells = ClassLoss()(LABELS, LOGITS)
    p = softmax(LOGITS[KNOWN].astype(np.float64), axis=-1)
    want = log_loss(LABELS[KNOWN], p, labels=[0, 1, 2], normalize=False)
    np.testing.assert_allclose(total, want, rtol=1e-5)
    assert float(cells) == KNOWN.sum()


def test_weights_multiply_and_leave_the_count() -> None:
    total, cells = ClassLoss(WEIGHTS)(LABELS, LOGITS)
    p = softmax(LOGITS[KNOWN].astype(np.float64), axis=-1)
    want = log_loss(
        LABELS[KNOWN],
        p,
        labels=[0, 1, 2],
        normalize=False,
        sample_weight=WEIGHTS[LABELS[KNOWN]],
    )
    np.testing.assert_allclose(total, want, rtol=1e-5)
    assert float(cells) == KNOWN.sum()


def test_smoothing_gives_a_share_of_the_truth_to_all_classes() -> None:
    total, _ = ClassLoss(smoothing=0.3)(LABELS, LOGITS)
    q = np.eye(3)[LABELS[KNOWN]] * 0.7 + 0.1
    want = -(q * log_softmax(LOGITS[KNOWN].astype(np.float64), axis=-1)).sum()
    np.testing.assert_allclose(total, want, rtol=1e-5)


def test_what_has_no_label_is_not_seen_even_if_it_is_not_finite() -> None:
    wild = LOGITS.copy()
    wild[~KNOWN] = np.nan
    logits = tf.constant(wild)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total, _ = ClassLoss(WEIGHTS, 0.1)(tf.constant(LABELS), logits)
    np.testing.assert_allclose(total, ClassLoss(WEIGHTS, 0.1)(LABELS, LOGITS)[0], rtol=1e-6)
    gradient = tape.gradient(total, logits).numpy()
    assert (gradient[~KNOWN] == 0).all()
    assert (gradient[KNOWN] != 0).all()


def test_one_label_for_each_sequence() -> None:
    total, cells = ClassLoss()(LABELS[:, 0], LOGITS[:, 0])
    want = log_loss(LABELS[:, 0], softmax(LOGITS[:, 0], axis=-1), labels=[0, 1, 2]) * 4
    np.testing.assert_allclose(total, want, rtol=1e-5)
    assert float(cells) == 4


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = np.array([0, 0, 0, 0, 1, 2, 2, -1], np.int32)
    weights = weights_of("balanced", ("a", "b", "c"), labels)
    want = compute_class_weight("balanced", classes=np.arange(3), y=labels[:-1])
    np.testing.assert_allclose(weights, want, rtol=1e-6)
    with_unknown = weights_of(
        "balanced", ("[UNK]", "a", "b", "c"), np.where(labels < 0, -1, labels + 1)
    )
    np.testing.assert_allclose(with_unknown, [1.0, *want], rtol=1e-6)


def test_weights_by_name() -> None:
    labels = np.zeros(3, np.int32)
    assert weights_of(None, ("a", "b"), labels) is None
    np.testing.assert_array_equal(weights_of({"b": 3.0}, ("a", "b"), labels), [1.0, 3.0])
    with pytest.raises(BadInputError, match=r"\['c'\].*'a', 'b'"):
        weights_of({"c": 3.0}, ("a", "b"), labels)
