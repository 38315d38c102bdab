"""Backpropagation through time for the Elman network, full and truncated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.reference.activations import ACTIVATIONS, ActivationName
from models.reference.elman import ElmanWeights, forward
from models.reference.step_error import STEP_ERRORS, ErrorName

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Gradient:
    """The error of a batch of sequences and where it comes from.

    Attributes:
        E: The error, the weighted sum of E_t over steps and sequences.
        weights: dE / d(each weight).
        s: [batch, T, units]: `s[:, t - 1]` is dE / ds_t, through everything that s_t has an
            effect on: its own output and, up to the end of its chunk, all later states.
    """

    E: float
    weights: ElmanWeights
    s: Array


def bptt(
    weights: ElmanWeights,
    x: Array,
    d: Array,
    *,
    activation: ActivationName = "tanh",
    error: ErrorName = "squared",
    k: int | None = None,
    s_0: Array | None = None,
    w: Array | None = None,
) -> Gradient:
    """The gradient of E = sum_t w_t E_t, backwards through the steps that `forward` goes.

    Full BPTT (Werbos, 1990, "Backpropagation through time: what it does and how to do it"): with
    a_t = x_t W_x + s_{t-1} W_s + b, z_t = s_t W_y + b_y and, from t = T down to 1,

        dE/dz_t = w_t dE_t/dz_t
        dE/ds_t = dE/dz_t W_y' + dE/da_{t+1} W_s'      (the last term is 0 at t = T)
        dE/da_t = dE/ds_t * g'(a_t)

    the gradient by the weights is, summed over all sequences,

        dE/dW_y = sum_t s_t' dE/dz_t        dE/db_y = sum_t dE/dz_t
        dE/dW_x = sum_t x_t' dE/da_t        dE/db   = sum_t dE/da_t
        dE/dW_s = sum_t s_{t-1}' dE/da_t

    where ' transposes and * goes element by element.

    Truncated BPTT: the T steps are cut into chunks of k, from the first step on; the last chunk
    may be shorter. A chunk starts from the state that the chunk before it ended with, but takes
    that state for a constant: the term dE/da_{t+1} W_s' is 0 at the last step of every chunk, not
    only at t = T. So the error of a step goes back to the first step of its chunk and no further,
    1 to k steps. The weights do not change between chunks, and the gradients of the chunks are
    summed. In the terms of Williams and Zipser (1995, "Gradient-based learning algorithms for
    recurrent networks and their computational complexity") it is BPTT(h; h') with h = h' = k; also
    known as TBPTT(k, k).

    Args:
        weights: Of the network.
        x: [batch, T, inputs]: `x[:, t - 1]` is the input x_t.
        d: [batch, T, outputs]: `d[:, t - 1]` is d_t, the desired y_t.
        activation: The function g.
        error: `squared` or `cross_entropy`, see `models.reference.step_error`.
        k: Length of a chunk; None, or anything from T on, is full BPTT.
        s_0: [batch, units], the state before the first step, a constant; None: zeros.
        w: [batch, T], the weight of each E_t; None: ones. One error per sequence is a weight of
            zero but at t = T; a mean over sequences is a weight of 1 / batch.

    Raises:
        ValueError: If `k` is below 1.
    """
    if k is not None and k < 1:
        raise ValueError(f"k has to be at least 1 step, got {k}; None is full BPTT")
    slope, step_error = ACTIVATIONS[activation].slope, STEP_ERRORS[error]
    seen = forward(weights, x, activation=activation, error=error, s_0=s_0)
    batch, T, _ = x.shape
    length = T if k is None else k
    w = np.ones((batch, T)) if w is None else w
    dz = w[:, :, None] * step_error.derivative(seen.y, d)
    ds = np.zeros((batch, T, len(weights.b)))
    da = np.zeros_like(ds)
    for t in range(T, 0, -1):
        ds[:, t - 1] = dz[:, t - 1] @ weights.W_y.T
        ends_chunk = t % length == 0 or t == T
        if not ends_chunk:
            ds[:, t - 1] += da[:, t] @ weights.W_s.T
        da[:, t - 1] = ds[:, t - 1] * slope(seen.s[:, t])
    over_steps = "bti,btj->ij"
    return Gradient(
        E=float((w * step_error.error(seen.y, d)).sum()),
        weights=ElmanWeights(
            W_x=np.einsum(over_steps, x, da),
            W_s=np.einsum(over_steps, seen.s[:, :-1], da),
            b=da.sum(axis=(0, 1)),
            W_y=np.einsum(over_steps, seen.s[:, 1:], dz),
            b_y=dz.sum(axis=(0, 1)),
        ),
        s=ds,
    )
