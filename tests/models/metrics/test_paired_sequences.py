from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from models.metrics.paired_sequences import RESAMPLES, mcnemar, randomization

SEEDS = st.integers(0, 2**32 - 1)


def mean(width):
    return lambda sums: sums[:, 0] / width


@given(SEEDS, st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_mcnemar_is_the_sum_of_the_binomial_distribution(seed, n):
    random = np.random.default_rng(seed)
    a, b = random.random((2, n)) < [[0.7], [0.5]]
    found = mcnemar(a, b)
    wins, losses = int((a & ~b).sum()), int((b & ~a).sum())
    both = wins + losses
    terms = [math.comb(both, k) / 2**both for k in range(both + 1)]
    assert found.p_better == pytest.approx(sum(terms[wins:]))
    assert found.p_two_sided == pytest.approx(min(1, 2 * sum(terms[max(wins, losses) :])))
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert (found.differing, found.resamples) == (both, 0)


def test_mcnemar_of_a_worked_case():
    # Nine sequences that only the one gets right, one that only the other does: 11/1024.
    a, b = np.array([True] * 9 + [False] + [True] * 5), np.array([False] * 9 + [True] * 6)
    assert mcnemar(a, b).p_better == pytest.approx(11 / 1024)
    assert mcnemar(b, a).p_better == pytest.approx(1023 / 1024)


@pytest.mark.parametrize("test", ["mcnemar", "randomization"])
def test_the_same_model_twice_is_no_better(test):
    a = np.array([True, False, True])
    same = a[:, None].astype(float)
    found = mcnemar(a, a) if test == "mcnemar" else randomization(same, same, mean(3), higher=True)
    assert (found.difference, found.p_two_sided, found.p_better, found.differing) == (0, 1, 1, 0)


@given(SEEDS, st.integers(2, 9), st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_few_sequences_are_tried_in_every_way_as_scipy_does(seed, n, higher, counts):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, n))
    if counts:
        a, b = np.round(2 * a), np.round(2 * b)
    found = randomization(a[:, None], b[:, None], mean(n), higher=higher)
    assert found.resamples == 0
    assert found.difference == pytest.approx(a.mean() - b.mean())
    for p, side in (
        (found.p_better, "greater" if higher else "less"),
        (found.p_two_sided, "two-sided"),
    ):
        expected = stats.permutation_test(
            (a - b,), np.mean, permutation_type="samples", alternative=side, n_resamples=np.inf
        )
        assert p == pytest.approx(expected.pvalue)


def test_many_sequences_are_tried_at_random_and_come_close():
    random = np.random.default_rng(1)
    a, b = random.normal([[-0.1], [0.0]], size=(2, 300))
    found = randomization(a[:, None], b[:, None], mean(300), higher=False)
    assert found.resamples == RESAMPLES
    # With as many sequences the sum over coins is close to normal.
    d = a - b
    expected = stats.norm.cdf(d.sum() / np.sqrt(d @ d))
    assert found.p_better == pytest.approx(expected, abs=0.01)
    again = randomization(a[:, None], b[:, None], mean(300), higher=False)
    assert again == found


def test_a_metric_that_is_no_mean_is_tested_as_itself():
    random = np.random.default_rng(2)
    a, b = random.integers(0, 5, (2, 8, 2)).astype(float)

    def ratio(sums):
        return sums[:, 0] / (1 + sums[:, 1])

    found = randomization(a, b, ratio, higher=True)
    observed = float(np.subtract(*ratio(np.stack([a.sum(axis=0), b.sum(axis=0)]))))
    drawn = []
    for throw in range(2**8):
        swap = np.array([(throw >> i) & 1 for i in range(8)], bool)[:, None]
        one, other = np.where(swap, b, a).sum(axis=0), np.where(swap, a, b).sum(axis=0)
        drawn.append(float(np.subtract(*ratio(np.stack([one, other])))))
    assert found.difference == pytest.approx(observed)
    assert found.p_better == pytest.approx(np.mean(np.array(drawn) >= observed - 1e-12))
    assert found.p_two_sided == pytest.approx(np.mean(np.abs(drawn) >= abs(observed) - 1e-12))


def test_sparse_sums_are_the_same_sums():
    random = np.random.default_rng(3)
    a, b = random.integers(0, 2, (2, 30, 6)).astype(float)

    def best(sums):
        return sums.max(axis=1)

    dense = randomization(a, b, best, higher=True)
    assert randomization(sparse.csr_array(a), sparse.csr_array(b), best, higher=True) == dense


def test_what_is_no_number_has_no_p_value():
    a, b = np.array([[np.nan], [1.0]]), np.array([[0.5], [1.0]])
    found = randomization(a, b, mean(2), higher=False)
    assert math.isnan(found.p_better)
    assert math.isnan(found.p_two_sided)
