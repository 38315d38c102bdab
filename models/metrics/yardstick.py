"""`Yardstick`: what errors are divided by, fixed by the train rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.features.scaling import Scaling
from models.metrics.denominators import seasonal_denominators
from models.windows.store import SeriesStore


@dataclass(frozen=True)
class Yardstick:
    """Divisors of scaled errors.

    Attributes:
        scale: float64 `[targets]`: standard deviation of each target on the train rows.
        denominators: float64 `[series, targets]`: seasonal naive error on the train rows, see
            `seasonal_denominators`.
        season: Steps in a season.
    """

    scale: npt.NDArray[np.float64]
    denominators: npt.NDArray[np.float64]
    season: int

    @classmethod
    def of(cls, store: SeriesStore, scaling: Scaling, season: int) -> Yardstick:
        """The yardstick of a store.

        Args:
            store: The series.
            scaling: Moments of the train split; a constant target is divided by 1.
            season: Steps in a season.
        """
        scale = np.asarray([scaling[name].scale for name in store.roles.targets], np.float64)
        return cls(scale, seasonal_denominators(store, season), season)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Where MASE is defined, bool `[series, targets]`: the denominator is above 0."""
        return np.asarray(np.nan_to_num(self.denominators, nan=0.0) > 0)
