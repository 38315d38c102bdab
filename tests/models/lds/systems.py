"""Small random systems, and the same in statsmodels."""

from __future__ import annotations

import numpy as np
from statsmodels.tsa.statespace.mlemodel import MLEModel

from models.lds.system import Lds


def random_system(seed, states, columns, radius=0.9):
    random = np.random.default_rng(seed)
    transition = random.normal(size=(states, states))
    transition *= radius / np.abs(np.linalg.eigvals(transition)).max()

    def covariance(n):
        root = random.normal(size=(n, n))
        return root @ root.T / n + 0.1 * np.eye(n)

    return Lds(
        transition=transition,
        observation=random.normal(size=(columns, states)),
        offset=random.normal(size=columns),
        state_noise=covariance(states),
        observation_noise=covariance(columns),
        mean=random.normal(size=states),
        covariance=covariance(states),
    )


def simulated(model, rows, seed):
    random = np.random.default_rng(seed)

    def noise(covariance):
        return np.linalg.cholesky(covariance) @ random.normal(size=len(covariance))

    state, values = model.mean + noise(model.covariance), []
    for _ in range(rows):
        values.append(model.observation @ state + model.offset + noise(model.observation_noise))
        state = model.transition @ state + noise(model.state_noise)
    return np.asarray(values)


def reference(model, values):
    """statsmodels' state space model with the same matrices; nan is missing."""
    other = MLEModel(values, k_states=model.states, k_posdef=model.states)
    other["transition"], other["design"] = model.transition, model.observation
    other["obs_intercept"], other["selection"] = model.offset[:, None], np.eye(model.states)
    other["state_cov"], other["obs_cov"] = model.state_noise, model.observation_noise
    other.ssm.initialize_known(model.mean, model.covariance)
    return other
