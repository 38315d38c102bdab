"""What the gate says, and which model it is about."""

from __future__ import annotations

import math
from collections.abc import Sequence

from components.backtest.evaluation import Verdict
from components.backtest.gate import Judgement, Rival, Rule, judge
from components.backtest.winner import CANDIDATE, Bless, Contender, Standing, choose


def conclude(
    gate: Rule,
    bless: Bless,
    candidate: float,
    rivals: Sequence[Rival],
    contenders: Sequence[Contender],
    champion: Standing | None,
    *,
    size: int,
    higher: bool = False,
    unit: str = "windows",
    faults: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> tuple[Verdict, str | None]:
    """The verdict, and the model that is blessed: `candidate`, a baseline, or None.

    Args:
        gate: The rule.
        bless: What can be blessed, see `choose`.
        candidate: The metric of the candidate on the whole test split.
        rivals: Whom it has to beat.
        contenders: The baselines, one of which may be blessed in its place.
        champion: Whom that one has to beat; None: nobody.
        size: Of the test split, for the summary.
        higher: Whether higher values of the metric are better.
        unit: What the test split is counted in.
        faults: What else speaks against the candidate, in sentences without a full stop.
        notes: Sentences about models that were not compared.
    """
    found = judge(gate, candidate, rivals, higher=higher, unit=unit)
    found = Judgement((*faults, *found.losses), found.wins)
    choice = choose(
        found.passed,
        contenders,
        champion,
        metric=gate.metric,
        margin=gate.margin,
        higher=higher,
        bless=bless,
    )
    over = f"on {size} test {unit}"
    refused = "; ".join(found.losses)
    if choice.name == CANDIDATE:
        names = [f"{rival.name} {rival.value:.4g}" for rival in rivals]
        beaten = " and ".join([", ".join(names[:-1]), *names[-1:]] if names[1:] else names)
        won = f" beats {beaten} {over}" if rivals else f" {over}, with nothing to beat"
        text = f"Blessed: {gate.metric} {candidate:.4g}{won}"
    elif choice.name is None:
        text = "; ".join((f"Not blessed: {refused}", *choice.reasons[:1]))
    else:
        value = next(c.value for c in contenders if c.name == choice.name)
        text = (
            f"Blessed: the baseline {choice.name}, {gate.metric} {value:.4g} {over}; the network "
            f"was refused: {refused}"
        )
    return Verdict(
        blessed=choice.name is not None,
        reasons=(*found.losses, *found.wins, *choice.reasons, *notes),
        summary="; ".join((text, *notes)) + ".",
    ), choice.name


def doubt(gate: Rule, p_better: float, unit: str = "windows") -> str:
    """Why a better metric does not count, by the paired test that the gate asks for; empty if it
    does count.
    """
    if gate.significance is None or p_better < gate.significance:
        return ""
    if not math.isfinite(p_better):
        return f"but there are too few {unit} to test whether that is an accident"
    return f"but not significantly: p {p_better:.3g} is not below {gate.significance:g}"
