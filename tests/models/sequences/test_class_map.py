from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.sequences.export.classes import ClassMap
from models.sequences.predictions import SequencePredictions
from models.sequences.spec import UNKNOWN

P = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], np.float32)


def test_equal_classes_change_nothing():
    labels = np.array([2, -1], np.int32)
    for task in ("classify", "tag", "next_step"):
        names = (UNKNOWN, "b", "c")
        got = ClassMap(names, names, task).predictions(P, labels)
        want = SequencePredictions.of(P, labels)
        for name in ("predicted", "probability", "confidence"):
            np.testing.assert_array_equal(getattr(got, name), getattr(want, name))


def test_classes_are_found_by_name():
    got = ClassMap(("a", "b", "c"), ("b", "d", "a"), "tag").predictions(
        np.concatenate([P, P, P[:1]]), np.array([0, 0, 1, 2, 2], np.int32)
    )
    # c is unknown to the store; d is unknown to the model, which gives it nothing.
    np.testing.assert_array_equal(got.predicted, [2, -1, 2, -1, 2])
    np.testing.assert_allclose(got.probability, [0.3, 0.2, 0, 0.1, 0.5])


@given(
    own=st.sets(st.sampled_from("abcdef"), min_size=1),
    wanted=st.sets(st.sampled_from("abcdef"), min_size=1),
    seed=st.integers(0, 99),
)
def test_probabilities_of_the_next_symbol_still_sum_to_one(own, wanted, seed):
    own, wanted = (UNKNOWN, *sorted(own)), (UNKNOWN, *sorted(wanted))
    p = np.random.default_rng(seed).dirichlet(np.ones(len(own))).astype(np.float32)
    rows = np.repeat(p[None], len(wanted), axis=0)
    got = ClassMap(own, wanted, "next_step").predictions(
        rows, np.arange(len(wanted), dtype=np.int32)
    )
    np.testing.assert_allclose(got.probability.sum(), 1, atol=1e-5)
    best = own[int(p.argmax())]
    assert wanted[got.predicted[0]] == (best if best in wanted else UNKNOWN)
    shared = set(own[1:]) & set(wanted[1:])
    for name in shared:
        assert got.probability[wanted.index(name)] == p[own.index(name)]


def test_a_row_without_numbers_predicts_nothing():
    got = ClassMap(("a", "b", "c"), ("b", "d", "a"), "classify").predictions(
        np.full((2, 3), np.nan, np.float32), np.array([1, -1], np.int32)
    )
    np.testing.assert_array_equal(got.predicted, [-1, -1])
    np.testing.assert_array_equal(got.probability, [np.nan, 0])
