"""The error E_t of one step, and its derivative by what the output layer sums up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
ErrorName = Literal["squared", "cross_entropy"]


@dataclass(frozen=True)
class StepError:
    """An error function together with the output activation that belongs to it.

    All three take and return arrays whose last axis is that of the outputs.

    Attributes:
        output: y_t from z_t, what the output layer sums up.
        error: E_t from y_t and the desired output d_t; the last axis is summed.
        derivative: dE_t / dz_t from y_t and d_t.
    """

    output: Callable[[Array], Array]
    error: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]


def softmax(z: Array) -> Array:
    """exp(z_i) / sum_j exp(z_j) along the last axis."""
    raised = np.exp(z - z.max(axis=-1, keepdims=True))
    result: Array = raised / raised.sum(axis=-1, keepdims=True)
    return result


STEP_ERRORS: dict[ErrorName, StepError] = {
    "squared": StepError(
        output=lambda z: z,
        error=lambda y, d: ((y - d) ** 2).sum(axis=-1),
        derivative=lambda y, d: 2.0 * (y - d),
    ),
    "cross_entropy": StepError(
        output=softmax,
        error=lambda y, d: -(d * np.log(y)).sum(axis=-1),
        derivative=lambda y, d: y * d.sum(axis=-1, keepdims=True) - d,
    ),
}
"""`squared`: y_t = z_t, E_t = sum_i (y_ti - d_ti)^2, without a factor of 1/2.
`cross_entropy`: y_t = softmax(z_t), E_t = -sum_i d_ti log y_ti.
"""
