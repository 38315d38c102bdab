from __future__ import annotations

import itertools

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM, GaussianHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from models.hmm.chain import Chain, smoothed
from models.hmm.emissions import Categorical, DiagonalGaussian
from models.hmm.recursions import forward, posterior, viterbi


def random_chain(rng, states, alpha=0.1):
    return Chain(
        smoothed(rng.exponential(size=states) ** 2, alpha),
        smoothed(rng.exponential(size=(states, states)) ** 2, alpha),
    )


def enumerate_paths(chain, density):
    """Every path of states with its joint probability, one product at a time."""
    steps, states = density.shape
    for path in itertools.product(range(states), repeat=steps):
        p = chain.start[path[0]]
        for before, after in itertools.pairwise(path):
            p *= chain.transition[before, after]
        for t, state in enumerate(path):
            p *= density[t, state]
        yield path, p


@given(
    seed=st.integers(0, 2**20),
    states=st.integers(1, 4),
    steps=st.integers(1, 5),
    zeros=st.booleans(),
)
def test_recursions_are_sums_over_all_paths(seed, states, steps, zeros):
    rng = np.random.default_rng(seed)
    # With zeros, some starts and transitions are impossible.
    chain = random_chain(rng, states)
    if zeros and states > 1:
        mask = rng.random((states, states)) < 0.5
        np.fill_diagonal(mask, True)
        start = np.where(np.arange(states) == rng.integers(states), 0.0, chain.start)
        transition = np.where(mask, chain.transition, 0.0)
        chain = Chain(start / start.sum(), transition / transition.sum(axis=1, keepdims=True))
    density = rng.random((steps, states)) * 10.0 ** rng.integers(-3, 3)
    paths = list(enumerate_paths(chain, density))
    total = sum(p for _, p in paths)
    filtered = forward(chain, np.log(density))
    assert filtered.log_likelihood == pytest.approx(np.log(total), rel=1e-9, abs=1e-9)

    marginal = np.zeros((steps, states))
    for path, p in paths:
        marginal[np.arange(steps), list(path)] += p / total
    np.testing.assert_allclose(posterior(chain, np.log(density)), marginal, atol=1e-9)

    # What the forward recursion says at step t is the posterior of the prefix that ends there.
    for t in range(steps):
        prefix = posterior(chain, np.log(density[: t + 1]))[-1]
        np.testing.assert_allclose(filtered.state[t], prefix, atol=1e-9)

    path, log_probability = viterbi(chain, np.log(density))
    best = max(p for _, p in paths)
    assert log_probability == pytest.approx(np.log(best), rel=1e-9, abs=1e-9)
    assert dict(paths)[tuple(int(s) for s in path)] == pytest.approx(best, rel=1e-9)


def test_symbols_agree_with_hmmlearn_over_a_long_sequence():
    rng = np.random.default_rng(3)
    chain, emission = random_chain(rng, 4), Categorical(smoothed(rng.random((4, 6)), 0.0))
    theirs = CategoricalHMM(4, n_features=6)
    theirs.startprob_, theirs.transmat_ = chain.start, chain.transition
    theirs.emissionprob_ = emission.probability
    symbols = rng.integers(0, 6, 3000)
    compare(chain, emission.log_density(symbols), theirs, symbols[:, None])


def test_vectors_agree_with_hmmlearn_however_far_from_every_state():
    rng = np.random.default_rng(4)
    chain = random_chain(rng, 3)
    emission = DiagonalGaussian(rng.normal(size=(3, 2)) * 3, rng.random((3, 2)) + 0.1)
    theirs = GaussianHMM(3, covariance_type="diag")
    theirs.startprob_, theirs.transmat_ = chain.start, chain.transition
    theirs.means_, theirs.covars_ = emission.mean, emission.variance
    values = rng.normal(size=(500, 2)) * 4
    values[100] = 1e4  # exp(-log density) is 0 in float64, of every state
    compare(chain, emission.log_density(values), theirs, values)


def compare(chain, log_emission, theirs, data):
    assert forward(chain, log_emission).log_likelihood == pytest.approx(theirs.score(data))
    np.testing.assert_allclose(
        posterior(chain, log_emission), theirs.predict_proba(data), atol=1e-7
    )
    log_probability, path = theirs.decode(data, algorithm="viterbi")
    ours, ours_log = viterbi(chain, log_emission)
    assert ours_log == pytest.approx(log_probability)
    np.testing.assert_array_equal(ours, path)


def test_what_a_model_cannot_emit_has_no_likelihood():
    chain = Chain(np.array([1.0, 0.0]), np.eye(2))
    density = Categorical(np.array([[1.0, 0.0], [0.0, 1.0]])).log_density(np.array([0, 1]))
    assert forward(chain, density).log_likelihood == -np.inf
    assert np.isnan(posterior(chain, density)).all()


def test_nothing_has_happened_before_the_first_step():
    chain = Chain(np.array([0.25, 0.75]), np.full((2, 2), 0.5))
    assert forward(chain, np.zeros((0, 2))).log_likelihood == 0.0
    assert viterbi(chain, np.zeros((0, 2)))[1] == 0.0


@pytest.mark.parametrize(
    ("start", "transition"),
    [
        ([0.5, 0.6], np.eye(2)),
        ([0.5, 0.5], [[1.0, 0.0], [0.5, 0.4]]),
        ([1.5, -0.5], np.eye(2)),
    ],
)
def test_what_is_no_distribution_is_refused(start, transition):
    with pytest.raises(ValueError, match="holds no probabilities"):
        Chain(np.asarray(start), np.asarray(transition))
    with pytest.raises(ValueError, match=r"2 states need a \[2, 2\]"):
        Chain(np.array([0.5, 0.5]), np.eye(3))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**20), more=st.integers(0, 3))
def test_unreachable_states_change_nothing(seed, more):
    rng = np.random.default_rng(seed)
    chain = random_chain(rng, 3)
    density = rng.normal(size=(6, 3))
    padded = chain.padded(3 + more)
    wide = np.concatenate([density, np.repeat(density[:, :1], more, axis=1)], axis=1)
    assert forward(padded, wide).log_likelihood == pytest.approx(
        forward(chain, density).log_likelihood
    )
    found = posterior(padded, wide)
    np.testing.assert_allclose(found[:, :3], posterior(chain, density), atol=1e-12)
    assert (found[:, 3:] == 0).all()
