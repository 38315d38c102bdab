"""`ProbePlan`: what gradient flow is measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.training.gradient_flow.flow import LOOKBACK

CANDIDATES = 8
"""Windows looked at for every one that is used: some may have no label."""


@dataclass(frozen=True)
class ProbePlan:
    """What differs between tasks.

    Attributes:
        batch: Given how many windows, the inputs of the network and the labels of the loss; None
            if no window looked at has a label.
        looked_at: What it chooses from, for the warning if it finds none.
        backward: Whether layers that read backwards are measured.
        shorter: For the warning that gradients vanish: what to do if they may.
    """

    batch: Callable[[int], tuple[Mapping[str, Any], Any] | None]
    looked_at: str
    backward: bool = True
    shorter: str = LOOKBACK


def spread(n: int, most: int) -> npt.NDArray[np.int64]:
    """Numbers below `n`, at most `most` of them, spread evenly."""
    if n <= most:
        return np.arange(n)
    return np.linspace(0, n - 1, most).round().astype(np.int64)
