"""The covariances of a filter and a smoother, each computed once.

They depend on which values were observed, not on the values. Seen as a walk from covariance to
covariance, one step per row, the walk of rows without holes is the same for all series and soon
stands still; what has been walked before is looked up. This is the steady state of B. D. O.
Anderson and J. B. Moore, Optimal Filtering (1979), section 4.4, without giving up exactness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from models.lds.system import Array, Lds, symmetric

Pattern = npt.NDArray[np.bool_]
STANDS_STILL = 1e-9
"""Change of a covariance in a step, beside its variances, below which it counts as none."""


@dataclass(frozen=True)
class Update:
    """What one row does to the covariance of the states, and to their mean.

    Attributes:
        number: Index into `Forward.updates`.
        observed: int64 `[o]`: the columns observed.
        gain: K, float64 `[n, o]`: `filtered mean = predicted mean + K (y - d - C predicted)`.
        whiten: float64 `[o, o]`: makes the errors of the prediction independent, of variance 1.
        log_constant: Of the log density of those errors.
        filtered: Covariance of the states given this row and those before, float64 `[n, n]`.
        ahead: Covariance of the next states given the same.
        following: The node of `ahead`.
        still: Whether the next row without a change of pattern has this very update.
    """

    number: int
    observed: npt.NDArray[np.int64]
    gain: Array
    whiten: Array
    log_constant: float
    filtered: Array
    ahead: Array
    following: int
    still: bool


class Forward:
    """The walk of the filter; node 0 is the covariance of the first states.

    Args:
        model: Its matrices.
        rest: How near, beside its variances, a covariance has to come to one that stands still to
            be taken for it. Slow states come back from a hole over thousands of rows, in which
            the gain hardly differs.
    """

    def __init__(self, model: Lds, rest: float = STANDS_STILL) -> None:
        self.model = model
        self.rest = rest
        self.updates: list[Update] = []
        self._nodes: list[Array] = [model.covariance]
        self._resting: list[int] = []
        self._known: dict[tuple[int, bytes], Update] = {}

    def step(self, node: int, seen: Pattern) -> Update:
        """The update of a row at `node` of which the columns `seen` (bool `[p]`) were observed."""
        key = (node, seen.tobytes())
        if key not in self._known:
            self._known[key] = self._compute(node, np.flatnonzero(seen))
        return self._known[key]

    def _compute(self, node: int, observed: npt.NDArray[np.int64]) -> Update:
        model, before = self.model, self._nodes[node]
        matrix = model.observation[observed]
        noise = model.observation_noise[np.ix_(observed, observed)]
        crossed = matrix @ before
        lower = np.linalg.cholesky(symmetric(crossed @ matrix.T + noise))
        whiten = solve_triangular(lower, np.eye(len(observed)), lower=True)
        gain = (whiten @ crossed).T @ whiten
        # Joseph's form: a sum of squares, so that no rounding makes a variance negative.
        rest = np.eye(model.states) - gain @ matrix
        filtered = symmetric(rest @ before @ rest.T + gain @ noise @ gain.T)
        ahead = symmetric(model.transition @ filtered @ model.transition.T + model.state_noise)
        still = _same(before, ahead)
        following = node if still else self._following(ahead)
        if still and node not in self._resting:
            self._resting.append(node)
        update = Update(
            number=len(self.updates),
            observed=observed,
            gain=gain,
            whiten=whiten,
            log_constant=-0.5 * len(observed) * math.log(2 * math.pi)
            - float(np.log(np.diag(lower)).sum()),
            filtered=filtered,
            ahead=ahead,
            following=following,
            still=still,
        )
        self.updates.append(update)
        return update

    def _following(self, ahead: Array) -> int:
        # After a hole the walk comes back to where it stood still before.
        for node in self._resting:
            if _same(self._nodes[node], ahead, self.rest):
                return node
        self._nodes.append(ahead)
        return len(self._nodes) - 1


class Backward:
    """The walk of the smoother over the updates of `forward`, last row first.

    Args:
        forward: The walk of the filter.
    """

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self.covariances: list[Array] = []
        self._gains: dict[int, tuple[Array, Array]] = {}
        self._known: dict[tuple[int, int], int] = {}
        self._runs: dict[tuple[int, int, int], tuple[int, Array]] = {}

    def last(self, update: int) -> int:
        """The number of the covariance at a last row: the filtered one."""
        key = (update, -1)
        if key not in self._known:
            self._known[key] = self._add(self.forward.updates[update].filtered)
        return self._known[key]

    def step(self, update: int, later: int) -> int:
        """The number of a row's covariance, given its update and the number of the next row's."""
        key = (update, later)
        if key not in self._known:
            gain, base = self._gain_and_base(update)
            after = self.covariances[later]
            here = symmetric(base + gain @ after @ gain.T)
            self._known[key] = later if _same(after, here) else self._add(here)
        return self._known[key]

    def run(self, update: int, later: int, rows: int) -> tuple[int, Array]:
        """`rows` steps with the same update: the last number, and the sum of their covariances.

        With `D = V_1 - V_0`, `V_i` is `V_0 + G_i` with `G_i = D + J D J' + ... ` (i terms), and
        `G_(a+b) = G_a + J^a G_b J^a'`; sums of these add up alike. Doubling gets there in as many
        products as `rows` has digits, however slowly the smoother comes to rest.
        """
        if rows == 1:
            number = self.step(update, later)
            return number, self.covariances[number]
        key = (update, later, rows)
        if key not in self._runs:
            gain, base = self._gain_and_base(update)
            start = self.covariances[later]
            change = symmetric(base + gain @ start @ gain.T - start)
            # Of the steps so far: J^i, G_i and the sum of G_1 .. G_i.
            steps, power, moved, total = 1, gain, change, change
            for digit in bin(rows)[3:]:
                total = symmetric(total + steps * moved + power @ total @ power.T)
                moved = symmetric(moved + power @ moved @ power.T)
                steps, power = 2 * steps, power @ power
                if digit == "1":
                    total = symmetric(change + steps * change + gain @ total @ gain.T)
                    moved = symmetric(change + gain @ moved @ gain.T)
                    steps, power = steps + 1, power @ gain
            self._runs[key] = self._add(start + moved), rows * start + total
        return self._runs[key]

    def gain(self, update: int) -> Array:
        """J, float64 `[n, n]`: `smoothed = filtered + J (next smoothed - next predicted)`."""
        return self._gain_and_base(update)[0]

    def _gain_and_base(self, update: int) -> tuple[Array, Array]:
        if update not in self._gains:
            entry, model = self.forward.updates[update], self.forward.model
            gain = _right_divided(entry.filtered @ model.transition.T, entry.ahead)
            rest = np.eye(model.states) - gain @ model.transition
            base = rest @ entry.filtered @ rest.T + gain @ model.state_noise @ gain.T
            self._gains[update] = gain, base
        return self._gains[update]

    def _add(self, covariance: Array) -> int:
        self.covariances.append(covariance)
        return len(self.covariances) - 1


def _same(a: Array, b: Array, share: float = STANDS_STILL) -> bool:
    """Whether two covariances differ by less than a share of each state's own variance."""
    size = np.sqrt(np.diag(b))
    return bool((np.abs(a - b) <= share * np.outer(size, size)).all())


def _right_divided(a: Array, b: Array) -> Array:
    """`a b^-1` for a symmetric `b`; states without any variance take no part."""
    try:
        quotient: Array = cho_solve(cho_factor(b), a.T).T
    except np.linalg.LinAlgError:
        quotient = a @ np.linalg.pinv(b, hermitian=True)
    return quotient
