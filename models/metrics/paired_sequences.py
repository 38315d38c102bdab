"""Is one model of sequences better than another on the same sequences?

Whole sequences are what is drawn independently, never the steps inside of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
RESAMPLES = 9999
BITS = 200_000_000
"""Coins thrown at most; with more than 20,000 sequences that differ there are fewer resamples."""
CHUNK = 1 << 22


@dataclass(frozen=True)
class SequenceTest:
    """Result of a paired test of `a` and `b`.

    Attributes:
        test: `mcnemar`, exact, or `randomization`.
        difference: Metric of `a` minus that of `b`.
        p_two_sided: Probability, if both were equally good, of a difference at least as large.
        p_better: One-sided: of one at least as much in favour of `a`. Small when `a` is better.
        sequences: Sequences compared.
        differing: Those of them in which the two are not the same.
        resamples: Random ones; 0 where the p-values are exact.
    """

    test: Literal["mcnemar", "randomization"]
    difference: float
    p_two_sided: float
    p_better: float
    sequences: int
    differing: int
    resamples: int


def mcnemar(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> SequenceTest:
    """Exact test of equal accuracy.

    McNemar (1947), "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12, with the binomial distribution in place of chi-squared;
    recommended for two classifiers on one test set by Dietterich (1998), "Approximate statistical
    tests for comparing supervised classification learning algorithms", Neural Computation 10.

    Args:
        a: bool `[sequences]`, where the one is right.
        b: bool `[sequences]`, where the other is.

    Returns:
        The test of the accuracies; both p-values are 1 where the two are never apart.
    """
    only_a, only_b = int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a))
    apart, n = only_a + only_b, len(a)
    two_sided = better = 1.0
    if apart:
        two_sided = float(stats.binomtest(only_a, apart).pvalue)
        better = float(stats.binomtest(only_a, apart, alternative="greater").pvalue)
    difference = (only_a - only_b) / n if n else math.nan
    return SequenceTest("mcnemar", difference, two_sided, better, n, apart, 0)


def randomization(
    a: Array | sparse.csr_array,
    b: Array | sparse.csr_array,
    statistic: Statistic,
    *,
    higher: bool,
    seed: int = 0,
) -> SequenceTest:
    """Test of equal metrics by exchanging the two models on some of the sequences.

    Were they equally good, then which of the two made the one output of a sequence and which the
    other would be the throw of a coin. Every throw is tried where these are fewer than 10,000,
    else 9,999 random ones. Fisher (1935), "The design of experiments"; for metrics that are no
    means, such as F1, Noreen (1989), "Computer-intensive methods for testing hypotheses", and Yeh
    (2000), "More accurate tests for the statistical significance of result differences", COLING;
    a p-value from random throws counts the one observed: Phipson and Smyth (2010), "Permutation
    p-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9.

    Args:
        a: float64 `[sequences, sums]`: what the metric adds up of each sequence, of the one. May
            be sparse: a count by class is 0 nearly everywhere.
        b: The same of the other.
        statistic: From sums over sequences, `[n, sums]`, to metrics, `[n]`.
        higher: Whether higher metrics are better.
        seed: Of the coins.

    Returns:
        The test; p-values are nan where a sum is not finite. Both are 1 where the two are the same.
    """
    n, width = a.shape
    total_a, total_b = (np.asarray(x.sum(axis=0), np.float64) for x in (a, b))
    difference = float(np.subtract(*statistic(np.stack([total_a, total_b]))))
    swap = sparse.csr_array(b) - sparse.csr_array(a)
    swap.eliminate_zeros()
    apart = np.flatnonzero(np.diff(swap.indptr))
    if not math.isfinite(difference):
        return SequenceTest("randomization", difference, math.nan, math.nan, n, len(apart), 0)
    swap = swap[apart]
    exact = 2 ** len(apart) <= RESAMPLES + 1
    throws = 2 ** len(apart) if exact else min(RESAMPLES, max(999, BITS // len(apart)))
    sign = 1.0 if higher else -1.0
    better = extreme = 0
    random = np.random.default_rng(seed)
    # As scipy does: what is equal but for rounding is as far from 0.
    rounding = 1e-12 * max(1.0, abs(difference))
    size = max(1, CHUNK // max(len(apart), width))
    for start in range(0, throws, size):
        count = min(size, throws - start)
        coins = _every(start, count, len(apart)) if exact else _some(random, count, len(apart))
        first = total_a + np.asarray((swap.T @ coins.T).T, np.float64)
        found = statistic(first) - statistic(total_a + total_b - first)
        better += int(np.count_nonzero(sign * found >= sign * difference - rounding))
        extreme += int(np.count_nonzero(np.abs(found) >= abs(difference) - rounding))
    extra = 0 if exact else 1
    return SequenceTest(
        test="randomization",
        difference=difference,
        p_two_sided=(extreme + extra) / (throws + extra),
        p_better=(better + extra) / (throws + extra),
        sequences=n,
        differing=len(apart),
        resamples=0 if exact else throws,
    )


def _every(start: int, count: int, width: int) -> Array:
    throws = np.arange(start, start + count)[:, None]
    return np.asarray((throws >> np.arange(width)) & 1, np.float64)


def _some(random: np.random.Generator, count: int, width: int) -> Array:
    return random.integers(0, 2, (count, width), dtype=np.int8).astype(np.float64)
