"""Estimates of hidden Markov models from sequences whose states are given: counts, smoothed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.hmm.chain import Chain, smoothed
from models.hmm.emissions import Categorical, DiagonalGaussian

Ints = npt.NDArray[np.integer[Any]]


def count_chain(states: Ints, lengths: Ints, *, kinds: int, alpha: float) -> Chain:
    """The chain from how often states start a sequence and follow one another.

    Args:
        states: int `[steps]`, from 0 to `kinds - 1`: all sequences, end to end.
        lengths: int `[sequences]`, at least 1 each.
        kinds: Different states there are.
        alpha: Added to every count.
    """
    firsts = np.cumsum(lengths) - lengths
    start = np.bincount(states[firsts], minlength=kinds)
    inside = np.ones(len(states), bool)
    inside[firsts] = False
    follows = np.flatnonzero(inside)
    transition = np.zeros((kinds, kinds))
    np.add.at(transition, (states[follows - 1], states[follows]), 1.0)
    return Chain(smoothed(start, alpha), smoothed(transition, alpha))


def count_symbols(
    symbols: Ints, states: Ints, *, kinds: int, vocabulary: int, alpha: float
) -> Categorical:
    """What each state emits, from how often symbols stand with states.

    Symbol 0 is the unknown one. It is counted as often as symbols that were seen just once stand
    with the state: such symbols are what an unseen one is most like (the idea of Good and
    Turing; Jurafsky and Martin, "Speech and Language Processing", on unknown words). Plain
    smoothing would say instead that unknown symbols come with rare states.

    Args:
        symbols: int `[steps]`, from 0 to `vocabulary - 1`.
        states: int `[steps]`.
        kinds: Different states there are.
        vocabulary: Different symbols there are, the unknown one among them.
        alpha: Added to every count.
    """
    counts = np.zeros((kinds, vocabulary))
    np.add.at(counts, (states, symbols), 1.0)
    once = (counts.sum(axis=0) == 1) & (np.arange(vocabulary) > 0)
    counts[:, 0] += counts[:, once].sum(axis=1)
    return Categorical(smoothed(counts, alpha))


def fit_numbers(
    values: npt.NDArray[np.floating[Any]], states: Ints, *, kinds: int
) -> DiagonalGaussian:
    """Mean and variance of the vectors of each state.

    Every state is given one more vector with the mean and variance of all, so that a state seen
    once has a variance; that of a constant number is a small share of its size.

    Args:
        values: `[steps, numbers]`.
        states: int `[steps]`.
        kinds: Different states there are.
    """
    data = np.asarray(values, np.float64)
    centre, floor = data.mean(axis=0), 1e-12 * np.square(data).mean(axis=0) + 1e-30
    apart = data - centre  # squares of raw values would cancel far from zero
    spread = np.maximum(np.square(apart).mean(axis=0), floor)
    count = np.bincount(states, minlength=kinds)[:, None] + 1.0
    total, squares = np.zeros((kinds, data.shape[1])), np.zeros((kinds, data.shape[1]))
    np.add.at(total, states, apart)
    np.add.at(squares, states, np.square(apart))
    mean = total / count
    variance = np.maximum((squares + spread) / count - np.square(mean), 1e-3 * spread)
    return DiagonalGaussian(centre + mean, variance)
