"""`Piece`: a stretch of one series to fit a system to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.lds.system import Array


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one series.

    Attributes:
        values: float64 `[rows, p]`, finite everywhere.
        seen: bool `[rows, p]`, false where a value was filled, not observed.
        first: Mean of the first states of this piece, float64 `[n]`; None: the model's.
    """

    values: Array
    seen: npt.NDArray[np.bool_]
    first: Array | None = None
