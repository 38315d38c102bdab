"""Forecasts of a linear dynamical system from a window, as one affine map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.lds.covariances import Forward
from models.lds.moments import Moments
from models.lds.system import Array, Lds, stationary_covariance, symmetric


@dataclass(frozen=True)
class Affine:
    """`forecast = window @ weights + constant`, over flattened steps and columns.

    Attributes:
        weights: float64 `[lookback * p, horizon * p]`; a window is flattened step by step, the
            oldest first, and so is a forecast.
        constant: float64 `[horizon * p]`.
    """

    weights: Array
    constant: Array


def window_forecast(model: Lds, lookback: int, gap: int, horizon: int) -> Affine:
    """What filtering a window without holes and running the system on comes to.

    Args:
        model: The system, with what is known of the states where a window starts.
        lookback: Steps of a window.
        gap: Steps between its last one and the first forecast.
        horizon: Steps forecast.
    """
    n, p = model.states, model.columns
    forward = Forward(model)
    node, gains = 0, []
    everything = np.ones(p, np.bool_)
    for _ in range(lookback):
        update = forward.step(node, everything)
        gains.append(update.gain)
        node = update.following
    ahead = np.empty((horizon, p, n))
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.linalg.matrix_power(model.transition, gap)
        for step in range(horizon):
            power = model.transition @ power
            ahead[step] = model.observation @ power
        carried = ahead.reshape(horizon * p, n)
        weights = np.empty((lookback, p, horizon * p))
        for step in range(lookback - 1, -1, -1):
            weights[step] = (carried @ gains[step]).T
            carried = carried - carried @ gains[step] @ model.observation
            if step:
                carried = carried @ model.transition
        flat = weights.reshape(lookback * p, horizon * p)
        constant = carried @ model.mean + np.tile(model.offset, horizon)
        constant = constant - np.tile(model.offset, lookback) @ flat
    return Affine(flat, constant)


def at_any_time(model: Lds, found: Moments) -> Lds:
    """`model` with first states distributed as at any row of the series it was fitted to.

    The mean and covariance of the states over all observed rows, given the series. Unlike the
    stationary distribution this exists for every system, also one on the edge of stability, and
    knows that two slow oscillations of the same period are not independent.

    Args:
        model: The system.
        found: Its moments.
    """
    if not found.rows:
        return replace(
            model,
            mean=np.zeros(model.states),
            covariance=stationary_covariance(model.transition, model.state_noise),
        )
    total = found.states / found.rows
    mean = total[:-1, -1]
    return replace(model, mean=mean, covariance=symmetric(total[:-1, :-1] - np.outer(mean, mean)))
