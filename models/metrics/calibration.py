"""Whether a model is right as often as it says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in bins of equal width.

    Attributes:
        count: int64 `[bins]`: predictions with a confidence in each bin, the lowest first.
        confidence: float64 `[bins]`: their mean confidence; nan in an empty bin.
        accuracy: float64 `[bins]`: the share of them that is right; nan in an empty bin.
    """

    count: npt.NDArray[np.int64]
    confidence: Array
    accuracy: Array

    @classmethod
    def of(
        cls,
        confidence: npt.NDArray[np.floating],
        right: npt.NDArray[np.bool_],
        bins: int = 15,
    ) -> Reliability:
        """The reliability of some predictions.

        Args:
            confidence: `[outcomes]`, the probability of the class that was predicted, 0 to 1;
                predictions with a nan are left out.
            right: bool `[outcomes]`.
            bins: Bins of [0, 1]; 1 itself is in the last one.
        """
        some = ~np.isnan(confidence)
        sure = np.asarray(confidence[some], np.float64)
        index = np.clip((sure * bins).astype(np.int64), 0, bins - 1)
        count = np.bincount(index, minlength=bins)
        share = np.where(count == 0, np.nan, count)
        return cls(
            np.asarray(count, np.int64),
            np.bincount(index, weights=sure, minlength=bins) / share,
            np.bincount(index, weights=right[some], minlength=bins) / share,
        )

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of accuracy and confidence over predictions.

        Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", ICML.
        0 is best; nan without predictions.
        """
        filled = self.count > 0
        if not filled.any():
            return math.nan
        gap = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float(np.average(gap, weights=self.count[filled]))
