"""Expectation maximisation for linear dynamical systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from models.lds.moments import Moments, moments
from models.lds.pieces import Piece
from models.lds.system import Array, Lds, steady_covariance, symmetric

FLOOR = 1e-6
"""Least eigenvalue of both noises, for series of variance about 1 and states of any scale."""
AT_REST = 1e-3
"""See `Forward.rest`: after a hole, in a fit; this moves a log likelihood by about its 1e-5th."""


@dataclass(frozen=True)
class Fitted:
    """A system and how the iterations went.

    Attributes:
        model: After the last iteration.
        pieces: What it was fitted to, with the means of their first states if these were fitted.
        log_likelihoods: Of the model at the start and after each iteration, nats.
    """

    model: Lds
    pieces: tuple[Piece, ...]
    log_likelihoods: tuple[float, ...]


def fit_em(
    start: Lds,
    pieces: Sequence[Piece],
    iterations: int,
    tolerance: float = 0.0,
    floor: float = FLOOR,
) -> Fitted:
    """Fits a system by expectation maximisation; the likelihood never falls.

    Shumway and Stoffer, "An approach to time series smoothing and forecasting using the EM
    algorithm", Journal of Time Series Analysis 3 (1982); Z. Ghahramani and G. Hinton, "Parameter
    estimation for linear dynamical systems" (1996), with an offset, several series, missing values
    and correlated noise.

    Args:
        start: The first model; its noises are lifted to `floor`.
        pieces: Stretches of one or more series, each with first states of its own.
        iterations: Most iterations.
        tolerance: Gain in log likelihood, in nats per observed row, below which it ends sooner.
        floor: Least eigenvalue of both noises. The maximum is taken among systems that keep it: a
            likelihood without bound, as of a series that is constant, cannot be followed.

    Returns:
        The last model.
    """
    model = lifted(start, floor)
    found = moments(model, pieces)
    path = [found.log_likelihood]
    for _ in range(iterations):
        model = maximised(model, found, floor)
        found = moments(model, pieces)
        path.append(found.log_likelihood)
        if path[-1] - path[-2] <= tolerance * max(found.rows, 1):
            break
    return Fitted(model, tuple(pieces), tuple(path))


def fit_steady(
    start: Lds,
    pieces: Sequence[Piece],
    iterations: int,
    tolerance: float = 0.0,
    floor: float = FLOOR,
) -> Fitted:
    """As `fit_em`, with a filter that is in its steady state from the first row of each piece.

    The first states of each piece have a mean of their own, which is fitted, and the covariance of
    the steady state. Slow oscillations take thousands of rows to get there, and each of these costs
    as much as all that follow. As that covariance is not the most likely one, an iteration could
    lower the likelihood; the one that does ends the fit and is not kept.

    Args:
        start: The first model; its noises are lifted to `floor`.
        pieces: Stretches of one or more series; `first` is where the fit of its mean starts.
        iterations: Most iterations.
        tolerance: Gain in log likelihood, in nats per observed row, below which it ends sooner.
        floor: Least eigenvalue of both noises.

    Returns:
        The most likely model met.
    """
    best = steady(lifted(start, floor))
    found = moments(best, pieces, AT_REST)
    kept = tuple(pieces)
    path = [found.log_likelihood]
    for _ in range(iterations):
        trial = steady(maximised(best, found, floor))
        moved = tuple(replace(p, first=m) for p, m in zip(kept, found.firsts, strict=True))
        tried = moments(trial, moved, AT_REST)
        gain = tried.log_likelihood - path[-1]
        if not gain > 0:
            break
        best, kept, found = trial, moved, tried
        path.append(found.log_likelihood)
        if gain <= tolerance * max(found.rows, 1):
            break
    return Fitted(best, kept, tuple(path))


def steady(model: Lds) -> Lds:
    """`model` with first states that have the covariance of the filter's steady state."""
    return replace(model, covariance=steady_covariance(model))


def maximised(model: Lds, found: Moments, floor: float = FLOOR) -> Lds:
    """The maximisation step: the system that is most likely under the expected products.

    Args:
        model: The model that the moments were found with; parts that no row speaks of stay.
        found: The moments.
        floor: Least eigenvalue of both noises.
    """
    transition, state_noise = model.transition, model.state_noise
    if found.steps:
        transition = _divided(found.crossed, found.before)
        left = found.after - transition @ found.crossed.T - found.crossed @ transition.T
        left += transition @ found.before @ transition.T
        state_noise = _floored(left / found.steps, floor)
    observation, offset, noise = model.observation, model.offset, model.observation_noise
    if found.rows:
        both = _divided(found.mixed, found.states)
        left = found.outputs - both @ found.mixed.T - found.mixed @ both.T
        left += both @ found.states @ both.T
        observation, offset = both[:, :-1], both[:, -1]
        noise = _floored(left / found.rows, floor)
    mean = np.mean(found.firsts, axis=0)
    covariance = found.first_square / len(found.firsts) - np.outer(mean, mean)
    return Lds(
        transition=transition,
        observation=observation,
        offset=offset,
        state_noise=state_noise,
        observation_noise=noise,
        mean=mean,
        covariance=_floored(covariance, 0.0),
    )


def lifted(model: Lds, floor: float) -> Lds:
    """`model` with both noises lifted to eigenvalues of at least `floor`."""
    return Lds(
        transition=model.transition,
        observation=model.observation,
        offset=model.offset,
        state_noise=_floored(model.state_noise, floor),
        observation_noise=_floored(model.observation_noise, floor),
        mean=model.mean,
        covariance=_floored(model.covariance, 0.0),
    )


def _floored(matrix: Array, floor: float) -> Array:
    """The nearest covariance with eigenvalues of at least `floor`.

    Of all such covariances it is also the most likely one for the sample covariance `matrix`: the
    likelihood `-log det S - tr(S^-1 matrix)` is greatest at the same eigenvectors.
    """
    values, vectors = np.linalg.eigh(symmetric(matrix))
    if values[0] >= floor:
        return symmetric(matrix)
    return symmetric((vectors * np.maximum(values, floor)) @ vectors.T)


def _divided(a: Array, b: Array) -> Array:
    """`a b^-1` for a symmetric `b`; of minimal norm where `b` is singular."""
    try:
        quotient: Array = cho_solve(cho_factor(b), a.T).T
    except np.linalg.LinAlgError:
        quotient = a @ np.linalg.pinv(b, hermitian=True)
    return quotient
