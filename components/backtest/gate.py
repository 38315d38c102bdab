"""The gate: when a candidate is good enough to be pushed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from components.backtest.winner import apart, better


class Rule(Protocol):
    """What a gate asks for, of any task."""

    @property
    def metric(self) -> str:
        """What is compared."""

    @property
    def margin(self) -> float:
        """Share by which a rival has to be beaten, see `components.backtest.winner.better`."""

    @property
    def significance(self) -> float | None:
        """Level that the paired test has to fall below; None: it is not asked."""


@dataclass(frozen=True)
class Rival:
    """A model that the candidate has to beat.

    Attributes:
        name: For the reader.
        candidate: The gate's metric of the candidate on the windows of the comparison.
        value: The same of the rival.
        p_better: One-sided p-value of the paired test.
    """

    name: str
    candidate: float
    value: float
    p_better: float


@dataclass(frozen=True)
class Judgement:
    """Sentences without a full stop, in the order of the rivals.

    Attributes:
        losses: Why the candidate does not pass.
        wins: Whom it has beaten.
    """

    losses: tuple[str, ...]
    wins: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the candidate passes."""
        return not self.losses


def judge(
    gate: Rule,
    candidate: float,
    rivals: Sequence[Rival],
    *,
    higher: bool = False,
    unit: str = "windows",
) -> Judgement:
    """Holds the candidate against its rivals.

    It must be better than every rival by the margin, see `better`; a tie is no win, and a metric
    that is not a finite number never wins and cannot be beaten. With `gate.significance` the
    one-sided paired test must also fall below that level.

    Args:
        gate: The rule.
        candidate: The metric of the candidate on the whole test split.
        rivals: Whom it has to beat.
        higher: Whether higher values of the metric are better.
        unit: What the test split is counted in.
    """
    wins: list[str] = []
    losses: list[str] = []
    if not math.isfinite(candidate):
        losses.append(
            f"the {gate.metric} of the candidate is not a number on these {unit}"
            if math.isnan(candidate)
            else f"the {gate.metric} of the candidate is infinite"
        )
    else:
        for rival in rivals:
            won, reason = _against(gate, rival, higher, unit)
            (wins if won else losses).append(reason)
        if not rivals:
            wins.append(f"there is nothing to beat: {gate.metric} {candidate:.4g} stands alone")
    return Judgement(tuple(losses), tuple(wins))


def _against(gate: Rule, rival: Rival, higher: bool, unit: str) -> tuple[bool, str]:
    metric = gate.metric
    margin = f" (margin {100 * gate.margin:g}%)" if gate.margin else ""
    side = "above" if higher else "below"
    if not math.isfinite(rival.value):
        return False, f"{rival.name} has no finite {metric} on these {unit} to compare with"
    if not math.isfinite(rival.candidate):
        return False, f"the candidate has no finite {metric} on the {unit} of {rival.name}"
    mine, other = apart(rival.candidate, rival.value)
    if not better(rival.candidate, rival.value, margin=gate.margin, higher=higher):
        tie = ", a tie is not a win" if rival.candidate == rival.value else ""
        return False, f"{metric} {mine} is not {side} {rival.name} {other}{margin}{tie}"
    text = f"{metric} {mine} is {side} {rival.name} {other}{margin}"
    if gate.significance is None:
        return True, text
    if not math.isfinite(rival.p_better):
        return False, f"{text}, but there are too few {unit} to test whether that is an accident"
    if not rival.p_better < gate.significance:
        return False, (
            f"{text}, but not significantly: p {rival.p_better:.3g} is not below "
            f"{gate.significance:g}"
        )
    return True, f"{text}, p {rival.p_better:.3g}"
