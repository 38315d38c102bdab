"""The Elman network, forwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.reference.activations import ACTIVATIONS, ActivationName
from models.reference.step_error import STEP_ERRORS, ErrorName

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ElmanWeights:
    """The weights of an Elman network, or a gradient by them; float64.

    Attributes:
        W_x: [inputs, units], from the input to the state.
        W_s: [units, units], from the state before to the state.
        b: [units], bias of the state.
        W_y: [units, outputs], from the state to the output.
        b_y: [outputs], bias of the output.
    """

    W_x: Array
    W_s: Array
    b: Array
    W_y: Array
    b_y: Array


@dataclass(frozen=True)
class Trajectory:
    """What a network did with a batch of sequences of T steps.

    Attributes:
        s: [batch, T + 1, units]: `s[:, t]` is the state s_t, and `s[:, 0]` the state s_0 before
            the first step.
        y: [batch, T, outputs]: `y[:, t - 1]` is the output y_t.
    """

    s: Array
    y: Array


def forward(
    weights: ElmanWeights,
    x: Array,
    *,
    activation: ActivationName = "tanh",
    error: ErrorName = "squared",
    s_0: Array | None = None,
) -> Trajectory:
    """States and outputs of an Elman network (Elman, 1990, "Finding structure in time").

    For t = 1 .. T, with vectors as rows:

        s_t = g(x_t W_x + s_{t-1} W_s + b)
        y_t = s_t W_y + b_y              with the squared error
        y_t = softmax(s_t W_y + b_y)     with cross-entropy

    Args:
        weights: Of the network.
        x: [batch, T, inputs]: `x[:, t - 1]` is the input x_t.
        activation: The function g.
        error: Which error the output is made for.
        s_0: [batch, units], the state before the first step; None: zeros.
    """
    g, output = ACTIVATIONS[activation].g, STEP_ERRORS[error].output
    batch, T, _ = x.shape
    s = np.zeros((batch, T + 1, len(weights.b)))
    if s_0 is not None:
        s[:, 0] = s_0
    for t in range(1, T + 1):
        s[:, t] = g(x[:, t - 1] @ weights.W_x + s[:, t - 1] @ weights.W_s + weights.b)
    return Trajectory(s=s, y=output(s[:, 1:] @ weights.W_y + weights.b_y))
