"""Nested least squares in one pass: every lag order from one triangular factor."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Array = npt.NDArray[np.float64]
BLOCK = 1024
"""Rows folded into the factor at a time."""


class TriangularFactor:
    """The R of a QR factorisation of `[1, x_1 .. x_p, y]`, built from blocks of rows.

    Only the `(p + 2) x (p + 2)` factor is kept, so memory does not grow with the rows, and
    nothing is squared as in normal equations (Golub and Van Loan, Matrix Computations, on
    updating QR). The last column holds `y` in the basis of the regressors: the sum of its
    squares below row `k` is the residual sum of squares of the first `k` regressors.
    """

    def __init__(self, columns: int) -> None:
        self.rows = 0
        self._factor: Array = np.zeros((0, columns))
        self._pending: list[Array] = []
        self._waiting = 0

    def add(self, block: Array) -> None:
        """Adds rows, float64 `[n, columns]`."""
        self.rows += len(block)
        self._pending.append(block)
        self._waiting += len(block)
        if self._waiting >= BLOCK:
            self._fold()

    def _fold(self) -> None:
        if self._waiting:
            stack = np.concatenate([self._factor, *self._pending])
            # BLAS threads gain nothing on a block this size, and on a busy machine they wait for
            # each other: with two threads on two loaded cores this was measured 50 times slower.
            with threadpool_limits(1, "blas"):
                self._factor = np.asarray(np.linalg.qr(stack, mode="r"), np.float64)
        self._pending, self._waiting = [], 0

    def residuals(self) -> Array:
        """float64 `[columns]`: residual sum of squares of the first 0, 1, ... regressors."""
        self._fold()
        squares = np.square(self._factor[:, -1])
        below = np.cumsum(squares[::-1])[::-1]
        return np.concatenate([below, np.zeros(self._factor.shape[1])])[: self._factor.shape[1]]

    def solve(self, regressors: int) -> Array:
        """Coefficients of the first `regressors` columns, of minimal norm if they are dependent."""
        self._fold()
        square = self._factor[:regressors, :regressors]
        solution = np.linalg.lstsq(square, self._factor[:regressors, -1], rcond=None)[0]
        return np.asarray(solution, np.float64)


def lag_blocks(values: Array, seen: npt.NDArray[np.bool_], lags: int) -> Iterable[Array]:
    """Rows `[1, x_(t-1) .. x_(t-lags), x_t]` of one stretch, for each `t` that was observed.

    Args:
        values: float64 `[n]`, consecutive steps.
        seen: bool `[n]`: only observed values are responses; any value may be a regressor.
        lags: Number of lags.

    Yields:
        float64 `[at most BLOCK, lags + 2]`.
    """
    if len(values) <= lags:
        return
    rows = np.lib.stride_tricks.sliding_window_view(values, lags + 1)
    keep = np.flatnonzero(seen[lags:])
    for start in range(0, len(keep), BLOCK):
        block = rows[keep[start : start + BLOCK]]
        yield np.concatenate([np.ones((len(block), 1)), block[:, -2::-1], block[:, -1:]], axis=1)
