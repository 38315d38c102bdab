"""Errors of single forecasts: the terms that every mean is taken over."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def absolute_error(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> Array:
    """`|y - f|`, float64, shape of the broadcast arguments; nan where a label is nan."""
    return np.abs(np.asarray(labels, np.float64) - np.asarray(predictions, np.float64))


def squared_error(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> Array:
    """`(y - f)^2`, float64, shape of the broadcast arguments; nan where a label is nan."""
    return np.square(np.asarray(labels, np.float64) - np.asarray(predictions, np.float64))


def symmetric_percentage_error(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> Array:
    """`200 |y - f| / (|y| + |f|)`, between 0 and 200; nan where a label is nan.

    The definition of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, 2020, "The M4
    Competition: 100,000 time series and 61 forecasting methods", International Journal of
    Forecasting 36). Where label and forecast are both 0 the forecast is right and the term is 0.

    Returns:
        float64, shape of the broadcast arguments.
    """
    y, f = np.asarray(labels, np.float64), np.asarray(predictions, np.float64)
    size = np.abs(y) + np.abs(f)
    terms = 200.0 * np.abs(y - f) / np.where(size == 0, 1.0, size)
    return np.asarray(terms, np.float64)
