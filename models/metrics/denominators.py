"""The in-sample seasonal denominators of MASE."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.windows.store import SeriesStore


def seasonal_denominators(store: SeriesStore, season: int) -> npt.NDArray[np.float64]:
    """Mean of `|y_t - y_(t-season)|` over the train rows of each series and target.

    Only pairs count in which both values were observed, lie in one segment and lie before the
    validation boundary. Hyndman and Koehler (2006), "Another look at measures of forecast
    accuracy", International Journal of Forecasting 22, with the seasonal difference.

    Args:
        store: The series.
        season: Steps in a season, at least 1.

    Returns:
        float64 `[series, targets]`, natural units; nan where a series has no such pair. It is 0
        for a series that repeats itself exactly, on which MASE is not defined.
    """
    width = len(store.roles.targets)
    total = np.zeros((len(store.series), width))
    pairs = np.zeros((len(store.series), width))
    for series, first, rows in store.segments:
        stop = first + int(
            np.searchsorted(store.time[first : first + rows], store.boundaries[1], side="left")
        )
        if stop - first <= season:
            continue
        values = np.asarray(store.values[first:stop, :width], np.float64)
        seen = np.asarray(store.observed[first:stop, :width])
        both = seen[season:] & seen[:-season]
        total[series] += np.where(both, np.abs(values[season:] - values[:-season]), 0.0).sum(axis=0)
        pairs[series] += both.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / np.where(pairs == 0, np.nan, pairs))
