"""Diebold-Mariano: is one forecaster better than another on the same windows?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairedTest:
    """Result of a paired test of the losses of `a` and `b`.

    Attributes:
        mean_difference: Mean of `a - b`; below 0 when `a` is better. nan without origins.
        statistic: The corrected statistic, compared with Student's t of `origins - 1` degrees of
            freedom; nan when it is not defined.
        p_two_sided: Probability under equal accuracy of a statistic at least as far from 0.
        p_better: One-sided: probability under equal accuracy of one at least as far below 0. Small
            when `a` is better.
        origins: Forecast origins compared.
        lags: Autocovariances in the long-run variance.
        variance: How the long-run variance was estimated: `rectangular`, `bartlett` (when the
            rectangular estimate was not positive), `zero` (the differences do not vary) or
            `none` (too few origins).
    """

    mean_difference: float
    statistic: float
    p_two_sided: float
    p_better: float
    origins: int
    lags: int
    variance: str


def overlap(reach: int, stride: int) -> int:
    """Lags at which the errors of two windows share shocks: `(reach - 1) // stride`.

    The errors of an optimal forecast `reach` steps ahead are a moving average of order `reach - 1`
    in steps; origins are `stride` steps apart.
    """
    return (reach - 1) // stride


def diebold_mariano(a: Array, b: Array, lags: int) -> PairedTest:
    """Test of equal accuracy on paired losses, with the small-sample correction.

    Diebold and Mariano (1995), "Comparing predictive accuracy", Journal of Business and Economic
    Statistics 13, with the correction and the t distribution of Harvey, Leybourne and Newbold
    (1997), "Testing the equality of prediction mean squared errors", International Journal of
    Forecasting 13, where `h = lags + 1`. Their variance weighs all lags equally and can come out
    negative; then Bartlett weights are used (Newey and West, 1987), which cannot.

    When the differences do not vary at all, the losses are either equal (both p-values 1, and
    1/2 one-sided) or differ by the same amount every time (p-values 0 or 1 by its sign).

    Args:
        a: float64 `[origins]`, losses of the one, in the order of time.
        b: float64 `[origins]`, losses of the other; origins with a nan in either are left out.
        lags: Lags at which differences may be correlated, see `overlap`.

    Returns:
        The test; nan statistic and p-values when there are not more than `lags + 1` origins or a
        loss is infinite.
    """
    both = ~(np.isnan(a) | np.isnan(b))
    with np.errstate(invalid="ignore"):
        d = np.asarray(a[both] - b[both], np.float64)
    n, h = len(d), lags + 1
    if n <= max(h, 1) or not np.isfinite(d).all():
        mean = float(d.mean()) if n and np.isfinite(d).all() else math.nan
        return PairedTest(mean, math.nan, math.nan, math.nan, n, lags, "none")
    mean = float(d.mean())
    centred = d - mean
    if np.all(d == d[0]) or float(centred @ centred) == 0.0:
        better = 0.5 if mean == 0 else float(mean > 0)
        return PairedTest(mean, math.nan, float(mean == 0), better, n, lags, "zero")
    covariances = np.asarray([centred[k:] @ centred[: n - k] / n for k in range(h)])
    variance, kernel = float(covariances[0] + 2 * covariances[1:].sum()), "rectangular"
    if variance <= 0:
        weights = 1 - np.arange(1, h) / h
        variance, kernel = (float(covariances[0] + 2 * weights @ covariances[1:]), "bartlett")
    if variance <= 0:  # Rounding only: Bartlett weights make it positive.
        return PairedTest(mean, math.nan, math.nan, math.nan, n, lags, "none")
    correction = math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    statistic = correction * mean / math.sqrt(variance / n)
    return PairedTest(
        mean_difference=mean,
        statistic=statistic,
        p_two_sided=float(2 * stats.t.sf(abs(statistic), n - 1)),
        p_better=float(stats.t.cdf(statistic, n - 1)),
        origins=n,
        lags=lags,
        variance=kernel,
    )


def mean_by_time(time: npt.NDArray[np.int64], losses: tuple[Array, Array]) -> tuple[Array, Array]:
    """Averages the losses of all series at each origin time.

    Series move together: at one time their losses are not independent draws, so one origin time
    is one observation of the test. Times are then taken as equally spaced. A window with a nan in
    either of the two is left out of both.

    Args:
        time: int64 `[windows]`, the origins.
        losses: Two float64 `[windows]`.

    Returns:
        Two float64 `[times]`, in the order of time.
    """
    both = ~(np.isnan(losses[0]) | np.isnan(losses[1]))
    times, index = np.unique(time[both], return_inverse=True)
    count = np.bincount(index, minlength=len(times))
    means = [np.bincount(index, weights=x[both], minlength=len(times)) / count for x in losses]
    return means[0], means[1]
