"""Forward, backward and Viterbi recursions of one sequence, in NumPy.

Scaled as in Rabiner (1989), "A tutorial on hidden Markov models", V.A: what is carried from step to
step is a distribution, and the logarithms of what it was divided by add up to the likelihood.
Emissions enter as logarithms and are divided by the largest of each step, so that
densities far from every state do not vanish all at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.hmm.chain import Array, Chain


@dataclass(frozen=True)
class Filtered:
    """Result of the forward recursion.

    Attributes:
        state: float64 `[steps, states]`: probability of each state given all steps up to this one;
            zeros from the first step on that the model cannot have emitted.
        log_likelihood: Of the whole sequence; -inf if the model cannot have emitted it.
    """

    state: Array
    log_likelihood: float


def forward(chain: Chain, log_emission: Array) -> Filtered:
    """The forward recursion.

    Args:
        chain: The hidden chain.
        log_emission: float64 `[steps, states]`: log density of each step in each state.
    """
    state = np.zeros(log_emission.shape)
    predicted, log_likelihood = chain.start, 0.0
    for t, (emission, peak) in enumerate(zip(*_relative(log_emission), strict=True)):
        joint = predicted * emission
        total = joint.sum()
        if total == 0:
            return Filtered(state, -np.inf)
        state[t] = joint / total
        log_likelihood += float(np.log(total) + peak)
        predicted = state[t] @ chain.transition
    return Filtered(state, log_likelihood)


def posterior(chain: Chain, log_emission: Array) -> Array:
    """Probability of each state at each step given the whole sequence (forward-backward).

    Returns:
        float64 `[steps, states]`; each row sums to 1, or is nan if the model cannot have emitted
        the sequence.
    """
    filtered = forward(chain, log_emission)
    if np.isneginf(filtered.log_likelihood):
        return np.full(log_emission.shape, np.nan)
    emission, _ = _relative(log_emission)
    result = filtered.state.copy()
    later = np.ones(chain.states)
    for t in range(len(result) - 2, -1, -1):
        later = chain.transition @ (emission[t + 1] * later)
        later /= later.max()
        result[t] *= later
        result[t] /= result[t].sum()
    return result


def viterbi(chain: Chain, log_emission: Array) -> tuple[npt.NDArray[np.int64], float]:
    """The single most probable path of states.

    Returns:
        int64 `[steps]` (of equal paths one), and the log probability of that path together with
        the sequence.
    """
    steps = len(log_emission)
    if steps == 0:
        return np.zeros(0, np.int64), 0.0
    with np.errstate(divide="ignore"):
        start, transition = np.log(chain.start), np.log(chain.transition)
    best = start + log_emission[0]
    came_from = np.zeros(log_emission.shape, np.int64)
    for t in range(1, steps):
        reached = best[:, None] + transition
        came_from[t] = reached.argmax(axis=0)
        best = reached.max(axis=0) + log_emission[t]
    path = np.empty(steps, np.int64)
    path[-1] = best.argmax()
    for t in range(steps - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path, float(best.max())


def _relative(log_emission: Array) -> tuple[Array, Array]:
    """Emissions divided by the largest of each step, and the logarithm of that one."""
    peak = log_emission.max(axis=1, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    return np.exp(log_emission - peak[:, None]), peak
