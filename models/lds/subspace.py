"""A first system from the series alone: subspace identification."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from models.lds.pieces import Piece
from models.lds.system import Array, Lds, symmetric

BLOCK = 1 << 22
"""Numbers of a block of overlapping windows."""
RIDGE = 1e-6
"""Added to the variances of the past, as a share of their mean."""


@dataclass(frozen=True)
class Subspace:
    """How the future hangs on the past: systems of any number of states can be read off.

    Attributes:
        past: Steps of the past, at least 1.
        columns: Observed columns p.
        gram: Mean products over all windows of `past + 1` steps, latest first, square,
            `(past + 1) p` wide.
        basis: What each state takes from the past, `[states, past * p]`, the most useful first;
            states have variance 1 and are uncorrelated.
        strengths: How much of the future each state explains, descending.
        rows: Windows that were counted.
    """

    past: int
    columns: int
    gram: Array
    basis: Array
    strengths: Array
    rows: int

    def system(self, states: int) -> Lds:
        """The system of the first `states` states, by least squares on those states.

        Args:
            states: At least 1, at most as many as `basis` has rows.
        """
        p, basis = self.columns, self.basis[:states]
        later, now = slice(0, self.past * p), slice(p, None)
        before = basis @ self.gram[now, now] @ basis.T
        after = basis @ self.gram[later, later] @ basis.T
        crossed = basis @ self.gram[later, now] @ basis.T
        transition = crossed @ np.linalg.pinv(before, hermitian=True)
        left = after - transition @ crossed.T - crossed @ transition.T
        left += transition @ before @ transition.T
        seen = self.gram[:p, later] @ basis.T
        observation = seen @ np.linalg.pinv(after, hermitian=True)
        noise = self.gram[:p, :p] - observation @ seen.T - seen @ observation.T
        noise += observation @ after @ observation.T
        return Lds(
            transition=transition,
            observation=observation,
            offset=np.zeros(p),
            state_noise=symmetric(left),
            observation_noise=symmetric(noise),
            mean=np.zeros(states),
            covariance=symmetric(after),
        )


def identify(pieces: Sequence[Piece], past: int, future: int, states: int) -> Subspace | None:
    """Finds the states that tell most of the future, each a sum over the past.

    The present and the next `future` steps are regressed on the last `past` steps (the present
    among them); the leading right singular vectors of that regression, weighted by the covariance
    of the past, are the states: subspace identification in the form of P. Van Overschee and B. De
    Moor (N4SID, Automatica 30, 1994), here with the unweighted future of reduced rank regression.
    Filled values count as they were filled.

    Args:
        pieces: Stretches, with a mean of about 0.
        past: Steps of the past, at least 1.
        future: Steps of the future beyond the present, at least 1.
        states: Most states.

    Returns:
        None if no piece is long enough for a window of `past + future` steps.
    """
    columns = pieces[0].values.shape[1]
    gram, rows = _gram(pieces, past + future)
    if not rows:
        return None
    # Latest first: the future is at the front, the present at `future * p`.
    cut = future * columns
    inner = gram[cut:, cut:]
    scale = max(float(np.trace(inner)) / len(inner), np.finfo(np.float64).tiny)
    lower = np.linalg.cholesky(inner + RIDGE * scale * np.eye(len(inner)))
    ahead = gram[: cut + columns, cut:]
    weighted = solve_triangular(lower, ahead.T, lower=True).T
    _, strengths, right = np.linalg.svd(weighted, full_matrices=False)
    states = min(states, len(right))
    basis = solve_triangular(lower, right[:states].T, lower=True, trans="T").T
    short, _ = _gram(pieces, past + 1)
    return Subspace(past, columns, short, basis, strengths, rows)


def _gram(pieces: Iterable[Piece], steps: int) -> tuple[Array, int]:
    """Mean products of all windows of `steps` steps, latest first, and how many there were."""
    total: Array | None = None
    rows = 0
    for piece in pieces:
        width = piece.values.shape[1] * steps
        if total is None:
            total = np.zeros((width, width))
        if len(piece.values) < steps:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(piece.values, steps, axis=0)
        size = max(1, BLOCK // width)
        for start in range(0, len(windows), size):
            block = windows[start : start + size, :, ::-1].transpose(0, 2, 1).reshape(-1, width)
            total += block.T @ block
            rows += len(block)
    assert total is not None
    return total / max(rows, 1), rows
