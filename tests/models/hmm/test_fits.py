from __future__ import annotations

import logging

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from models.hmm import baum_welch
from models.hmm.baum_welch import MEAN_WEIGHT, VARIANCE_PRIOR, fit_categorical, fit_gaussian
from models.hmm.chain import Chain
from models.hmm.emissions import Categorical, DiagonalGaussian
from models.hmm.recursions import forward
from models.hmm.supervised import count_chain, count_symbols, fit_numbers

CHAIN = Chain(np.array([0.8, 0.2]), np.array([[0.9, 0.1], [0.3, 0.7]]))
SYMBOLS = Categorical(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]))


def sampled(sequences, seed=0):
    """States and lengths of sequences drawn from CHAIN."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 30, sequences)
    states = []
    for n in lengths:
        state = rng.choice(2, p=CHAIN.start)
        for _ in range(n):
            states.append(state)
            state = rng.choice(2, p=CHAIN.transition[state])
    return np.asarray(states), lengths, rng


def emitted(states, rng):
    return np.asarray([rng.choice(3, p=SYMBOLS.probability[s]) for s in states])


def total(fit, data, lengths):
    parts = np.split(data, np.cumsum(lengths)[:-1])
    return sum(forward(fit.chain, fit.emission.log_density(p)).log_likelihood for p in parts)


def symbols_fit(data, lengths, **settings):
    settings = {"states": 2, "kinds": 3, "iterations": 15, "seed": 1, "alpha": 1e-9, **settings}
    return fit_categorical(data, lengths, **settings)


def test_the_likelihood_of_symbols_never_falls(monkeypatch):
    monkeypatch.setattr(baum_welch, "TOLERANCE", 0.0)
    states, lengths, rng = sampled(40)
    data = emitted(states, rng)
    fit = symbols_fit(data, lengths, iterations=40)
    history = np.asarray(fit.log_likelihood)
    assert len(history) > 10
    assert (np.diff(history) > -1e-9 * np.abs(history[:-1])).all()
    assert history[-1] > history[0] + 10
    # The history is of the parameters before each iteration; ours, after the last, are better.
    assert total(fit, data, lengths) >= history[-1] - 1e-6


def test_each_iteration_gives_what_our_own_recursions_give():
    states, lengths, rng = sampled(20)
    data = emitted(states, rng)
    longer = symbols_fit(data, lengths, iterations=6)
    shorter = symbols_fit(data, lengths, iterations=5)
    assert longer.log_likelihood[:5] == pytest.approx(shorter.log_likelihood)
    assert longer.log_likelihood[5] == pytest.approx(total(shorter, data, lengths), rel=1e-6)


def test_symbols_are_explained_as_well_as_by_the_model_that_made_them():
    states, lengths, _ = sampled(100)
    data = 2 * states  # nearly: one symbol in ten says nothing
    data[::10] = 1
    truth = baum_welch.Fit(CHAIN, Categorical(np.array([[0.9, 0.1, 0], [0, 0.1, 0.9]])), ())
    # A fit may end in a lesser peak; of three starts one should not.
    fits = [symbols_fit(data, lengths, iterations=30, seed=seed) for seed in range(3)]
    gain = max(total(fit, data, lengths) for fit in fits) - total(truth, data, lengths)
    assert 0 < gain < 20  # 7 free numbers cannot explain much more


def vectors(states, rng):
    centre = np.array([[100.0, -5.0], [103.0, -5.2]])
    return centre[states] + rng.normal(size=(len(states), 2)) * [1.0, 0.1]


def vectors_fit(data, lengths, **settings):
    settings = {"states": 2, "iterations": 15, "seed": 1, "alpha": 1e-9, **settings}
    return fit_gaussian(
        data, lengths, mean=data.mean(axis=0), deviation=data.std(axis=0), **settings
    )


def test_the_likelihood_of_vectors_times_their_prior_never_falls(monkeypatch):
    monkeypatch.setattr(baum_welch, "TOLERANCE", -np.inf)
    states, lengths, rng = sampled(10)
    data = vectors(states, rng)
    objective = []
    for iterations in range(1, 9):
        fit = vectors_fit(data, lengths, iterations=iterations, states=3)
        mean = (fit.emission.mean - data.mean(axis=0)) / data.std(axis=0)
        variance = fit.emission.variance / data.var(axis=0)
        prior = -(MEAN_WEIGHT * mean**2 + VARIANCE_PRIOR) / (2 * variance)
        objective.append(total(fit, data, lengths) + prior.sum())
        assert len(fit.log_likelihood) == iterations
    assert (np.diff(objective) > -1e-6).all()
    assert objective[-1] > objective[0] + 0.1


def test_states_of_vectors_are_found_in_natural_units():
    states, lengths, rng = sampled(100)
    data = vectors(states, rng)
    fit = vectors_fit(data, lengths)
    order = np.argsort(fit.emission.mean[:, 0])
    np.testing.assert_allclose(fit.emission.mean[order], [[100.0, -5.0], [103.0, -5.2]], atol=0.15)
    np.testing.assert_allclose(np.sqrt(fit.emission.variance), [[1, 0.1]] * 2, rtol=0.15)
    np.testing.assert_allclose(
        fit.chain.transition[np.ix_(order, order)], CHAIN.transition, atol=0.06
    )
    # hmmlearn on the same numbers in natural units; its history is ours, shifts included.
    theirs = GaussianHMM(2, init_params="")
    theirs.startprob_, theirs.transmat_ = fit.chain.start, fit.chain.transition
    theirs.means_, theirs.covars_ = fit.emission.mean, fit.emission.variance
    assert theirs.score(data, lengths) == pytest.approx(total(fit, data, lengths))
    assert fit.log_likelihood[-1] == pytest.approx(total(fit, data, lengths), rel=1e-3)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_few_data_give_a_proper_model(steps, caplog):
    lengths = np.ones(steps, np.int64)
    with caplog.at_level(logging.WARNING):
        symbols = symbols_fit(np.arange(steps) % 3, lengths, states=8, alpha=0.1)
        few = fit_gaussian(
            np.arange(steps * 2.0).reshape(steps, 2),
            lengths,
            states=8,
            iterations=5,
            seed=0,
            alpha=0.1,
            mean=np.zeros(2),
            deviation=np.ones(2),
        )
    assert not caplog.records
    assert symbols.chain.states == few.chain.states == steps
    for fit in (symbols, few):
        assert (fit.chain.start > 0).all()
        assert (fit.chain.transition > 0).all()
    assert (symbols.emission.probability > 0).all()
    assert (few.emission.variance > 0).all()
    assert np.isfinite(few.emission.log_density(np.array([[1e3, -1e3]]))).all()
    assert not logging.getLogger("hmmlearn.base").disabled


def test_equal_vectors_are_one_state():
    fit = fit_gaussian(
        np.full((6, 2), 3.0),
        np.array([4, 2]),
        states=4,
        iterations=5,
        seed=0,
        alpha=0.1,
        mean=np.full(2, 2.0),
        deviation=np.ones(2),
    )
    assert fit.chain.states == 1
    np.testing.assert_allclose(fit.emission.mean, 3.0, atol=1e-3)
    assert (fit.emission.variance > 0).all()


def test_given_states_are_counted():
    states = np.array([0, 1, 1, 0, 0, 2])
    chain = count_chain(states, np.array([3, 2, 1]), kinds=3, alpha=0.5)
    np.testing.assert_allclose(chain.start, np.array([2.5, 0.5, 1.5]) / 4.5)
    counts = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]]) + 0.5
    np.testing.assert_allclose(chain.transition, counts / counts.sum(axis=1, keepdims=True))


def test_unknown_symbols_are_like_those_seen_once():
    symbols = np.array([1, 1, 2, 3, 4, 1])
    states = np.array([0, 0, 1, 1, 0, 1])
    found = count_symbols(symbols, states, kinds=2, vocabulary=6, alpha=0.1).probability
    # Symbols 2, 3 and 4 were seen once: two of them with state 1, one with state 0.
    counts = np.array([[1, 2, 0, 0, 1, 0], [2, 1, 1, 1, 0, 0]]) + 0.1
    np.testing.assert_allclose(found, counts / counts.sum(axis=1, keepdims=True))


def test_numbers_of_a_state_are_those_of_its_vectors_and_one_of_all():
    rng = np.random.default_rng(5)
    values = 1e4 + rng.normal(size=(400, 2)) * [1.0, 3.0]
    states = rng.integers(0, 2, 400)
    states[:1] = 2
    values[states == 1] += 5
    found = fit_numbers(values, states, kinds=4)
    assert isinstance(found, DiagonalGaussian)
    mean, spread = values.mean(axis=0), values.var(axis=0)
    for state in range(4):
        own = values[states == state] - mean
        n = len(own) + 1
        first, second = own.sum(axis=0) / n, (np.square(own).sum(axis=0) + spread) / n
        np.testing.assert_allclose(found.mean[state], mean + first, rtol=1e-9)
        np.testing.assert_allclose(found.variance[state], second - first**2, rtol=1e-6)
    constant = fit_numbers(np.full((5, 1), 7.0), np.zeros(5, np.int64), kinds=1)
    assert constant.variance[0, 0] > 0
