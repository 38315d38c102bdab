"""What the gate says, and which model it is about."""

from __future__ import annotations

import math
from collections.abc import Sequence

from components.backtest.config import GateConfig
from components.backtest.evaluation import Verdict
from components.backtest.gate import Rival, decide, judge
from components.backtest.winner import CANDIDATE, Contender, Standing, choose


def conclude(
    gate: GateConfig,
    candidate: float,
    rivals: Sequence[Rival],
    contenders: Sequence[Contender],
    champion: Standing | None,
    *,
    windows: int,
    notes: Sequence[str] = (),
) -> tuple[Verdict, str | None]:
    """The verdict, and the model that is blessed: `candidate`, a baseline, or None.

    Args:
        gate: The rule.
        candidate: The metric of the candidate on all test windows.
        rivals: Whom it has to beat.
        contenders: The baselines, one of which may be blessed in its place.
        champion: Whom that one has to beat; None: nobody.
        windows: Test windows, for the summary.
        notes: Sentences about models that were not compared.
    """
    verdict = decide(gate, candidate, rivals, windows=windows, notes=notes)
    choice = choose(
        verdict.blessed,
        contenders,
        champion,
        metric=gate.metric,
        margin=gate.margin,
        bless=gate.bless,
    )
    if choice.name == CANDIDATE:
        return verdict, CANDIDATE
    found = judge(gate, candidate, rivals)
    refused = "; ".join(found.losses)
    if choice.name is None:
        text = "; ".join((f"Not blessed: {refused}", *choice.reasons[:1]))
    else:
        value = next(c.value for c in contenders if c.name == choice.name)
        text = (
            f"Blessed: the baseline {choice.name}, {gate.metric} {value:.4g} on {windows} test "
            f"windows; the network was refused: {refused}"
        )
    return Verdict(
        blessed=choice.name is not None,
        reasons=(*found.losses, *found.wins, *choice.reasons, *notes),
        summary="; ".join((text, *notes)) + ".",
    ), choice.name


def doubt(gate: GateConfig, p_better: float) -> str:
    """Why a better metric does not count, by the paired test that the gate asks for; empty if it
    does count.
    """
    if gate.significance is None or p_better < gate.significance:
        return ""
    if not math.isfinite(p_better):
        return "but there are too few windows to test whether that is an accident"
    return f"but not significantly: p {p_better:.3g} is not below {gate.significance:g}"
