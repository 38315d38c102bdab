"""Fits of hidden Markov models to sequences whose states nobody knows, by hmmlearn."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from models.hmm.chain import Array, Chain, smoothed
from models.hmm.emissions import Categorical, DiagonalGaussian, Emission

Ints = npt.NDArray[np.integer[Any]]

TOLERANCE = 1e-6
"""A gain of log likelihood per step of the data below which a fit stops."""
TINY = 1e-6
"""Expected count that a symbol has at least in every state where a fit starts."""
MEAN_WEIGHT = 1e-3
VARIANCE_PRIOR = 1e-2
"""Of the weak prior on Gaussians, in variances of the whole data: see `fit_gaussian`."""


EmissionT = TypeVar("EmissionT", bound=Emission)


@dataclass(frozen=True)
class Fit(Generic[EmissionT]):
    """A fitted hidden Markov model.

    Attributes:
        chain: Smoothed: every start and transition is possible.
        emission: Of each state; symbols are smoothed too.
        log_likelihood: Of the data under the parameters before each iteration.
    """

    chain: Chain
    emission: EmissionT
    log_likelihood: tuple[float, ...]


def fit_categorical(
    symbols: Ints,
    lengths: Ints,
    *,
    states: int,
    kinds: int,
    iterations: int,
    seed: int,
    alpha: float,
) -> Fit[Categorical]:
    """Baum and Welch's algorithm from a random start, on sequences of symbols.

    Args:
        symbols: int `[steps]`, from 0 to `kinds - 1`: all sequences, end to end.
        lengths: int `[sequences]`, at least 1 each.
        states: Hidden states; never more than there are steps.
        kinds: Different symbols there are.
        iterations: Most iterations.
        seed: Of the start.
        alpha: Added to the expected counts of the result, so that nothing is impossible. The
            iterations themselves maximise the likelihood.
    """
    from hmmlearn.hmm import CategoricalHMM

    data = np.asarray(symbols, np.int64)[:, None]
    model = CategoricalHMM(
        n_components=min(states, len(data)),
        n_features=kinds,
        n_iter=iterations,
        tol=TOLERANCE * len(data),
        random_state=seed,
        implementation="scaling",
        init_params="st",
    )
    # Around the frequencies of the symbols, and far enough apart for the states to part soon.
    noise = np.random.default_rng(seed).exponential(size=(model.n_components, kinds))
    model.emissionprob_ = smoothed(noise * np.bincount(data[:, 0], minlength=kinds), TINY)
    visits = _fitted(model, data, lengths)
    emission = Categorical(smoothed(visits[:, None] * model.emissionprob_, alpha))
    return Fit(_chain(model, visits, len(lengths), alpha), emission, tuple(model.monitor_.history))


def fit_gaussian(
    values: npt.NDArray[np.floating[Any]],
    lengths: Ints,
    *,
    states: int,
    iterations: int,
    seed: int,
    alpha: float,
    mean: Array,
    deviation: Array,
) -> Fit[DiagonalGaussian]:
    """Baum and Welch's algorithm from k-means, on sequences of vectors.

    A state that claims a single vector would have no variance and an infinite likelihood. What is
    maximised is therefore the likelihood times `exp(-(w m^2 + v) / (2 s^2))` for the mean m and
    variance s^2 of every number in every state, in units of `mean` and `deviation`, with w
    `MEAN_WEIGHT` and v `VARIANCE_PRIOR`: as if each state had been seen in the mean a few
    thousandths of a time more.

    Args:
        values: `[steps, numbers]`: all sequences, end to end.
        lengths: int `[sequences]`, at least 1 each.
        states: Hidden states; never more than there are different vectors.
        iterations: Most iterations.
        seed: Of the start.
        alpha: Added to the expected counts of starts and transitions of the result.
        mean: float64 `[numbers]`: of each number over all data there is, not only `values`.
        deviation: float64 `[numbers]`: standard deviations, above 0.
    """
    from hmmlearn.hmm import GaussianHMM
    from sklearn.cluster import KMeans

    data = (np.asarray(values, np.float64) - mean) / deviation
    states = min(states, len(np.unique(data, axis=0)))
    model = GaussianHMM(
        n_components=states,
        covariance_type="diag",
        n_iter=iterations,
        tol=TOLERANCE * len(data),
        means_weight=MEAN_WEIGHT,
        covars_prior=VARIANCE_PRIOR,
        random_state=seed,
        init_params="st",
    )
    means = KMeans(states, n_init=3, random_state=seed).fit(data).cluster_centers_
    model.means_ = means
    model.covars_ = np.tile(np.maximum(data.var(axis=0), VARIANCE_PRIOR), (states, 1))
    visits = _fitted(model, data, lengths)
    emission = DiagonalGaussian(
        mean + model.means_ * deviation, model._covars_ * np.square(deviation)
    )
    chain = _chain(model, visits, len(lengths), alpha)
    # hmmlearn's densities are those of the scaled numbers.
    shift = len(data) * float(np.log(deviation).sum())
    return Fit(chain, emission, tuple(value - shift for value in model.monitor_.history))


def _fitted(model: Any, data: npt.NDArray[Any], lengths: Ints) -> Array:
    """Fits `model`; gives the expected number of steps in each state."""
    with _no_advice():
        model.fit(data, lengths)
        # Where every sequence is one step long no transition was seen: all are alike.
        left = model.transmat_.sum(axis=1, keepdims=True) > 0
        model.transmat_ = np.where(left, model.transmat_, 1.0 / model.n_components)
        visits: Array = model.predict_proba(data, lengths).sum(axis=0)
    return visits


def _chain(model: Any, visits: Array, sequences: int, alpha: float) -> Chain:
    return Chain(
        smoothed(sequences * model.startprob_, alpha),
        smoothed(visits[:, None] * model.transmat_, alpha),
    )


@contextmanager
def _no_advice() -> Iterator[None]:
    """Quiet about few data for many parameters: smoothing and priors are our answer to that."""
    loggers = [logging.getLogger(f"hmmlearn.{name}") for name in ("base", "hmm")]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
