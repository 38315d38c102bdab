"""The activation g of a hidden layer, and its derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
ActivationName = Literal["tanh", "sigmoid", "relu"]


@dataclass(frozen=True)
class Activation:
    """A function g that acts on each element.

    Attributes:
        g: s = g(a).
        slope: g'(a), written with s = g(a) alone: 1 - s^2 for tanh, s (1 - s) for the sigmoid,
            and 1 where s > 0, else 0, for relu, whose derivative at 0 is taken as 0.
    """

    g: Callable[[Array], Array]
    slope: Callable[[Array], Array]


ACTIVATIONS: dict[ActivationName, Activation] = {
    "tanh": Activation(np.tanh, lambda s: 1.0 - s**2),
    # With tanh, for exp(-a) overflows where a is far below zero.
    "sigmoid": Activation(lambda a: 0.5 * (1.0 + np.tanh(0.5 * a)), lambda s: s * (1.0 - s)),
    "relu": Activation(lambda a: np.maximum(a, 0.0), lambda s: (s > 0).astype(s.dtype)),
}
"""By the name that Keras uses."""
