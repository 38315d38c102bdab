"""What the gate of sequences says, and which model it is about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.backtest.evaluation import CANDIDATE, CHAMPION, Verdict
from components.backtest.gate import Judgement, Rival, judge
from components.backtest.winner import Contender, Standing, better, choose
from components.sequence_backtest.champion import SequenceChampionEntry
from components.sequence_backtest.config import (
    HIGHER_IS_BETTER,
    SequenceGateConfig,
    SequenceMetric,
)

UNIT = "sequences"


@dataclass(frozen=True)
class Rule:
    """The gate of one task; see `components.backtest.gate.Rule`."""

    metric: SequenceMetric
    margin: float
    significance: float | None
    higher: bool

    @classmethod
    def of(cls, gate: SequenceGateConfig, metric: SequenceMetric) -> Rule:
        """The rule of a configured gate."""
        return cls(metric, gate.margin, gate.significance, HIGHER_IS_BETTER[metric])


@dataclass(frozen=True)
class Standings:
    """What the verdict is made from.

    Attributes:
        values: By model, the gate's metric on all test sequences.
        p_better: By model other than the candidate, the one-sided p-value of the paired test.
        gaps: By model, labels for which it gave no number, where there are any.
        folders: By baseline that can be served, its Model folder.
        refusals: By baseline that cannot be, why.
        sequences: Test sequences.
    """

    values: Mapping[str, float]
    p_better: Mapping[str, float]
    gaps: Mapping[str, int]
    folders: Mapping[str, Path]
    refusals: Mapping[str, str]
    sequences: int


def conclude(
    gate: SequenceGateConfig,
    metric: SequenceMetric,
    baselines: Sequence[str],
    standings: Standings,
    champion: SequenceChampionEntry | None,
) -> tuple[Verdict, str | None]:
    """The verdict, and the model that is blessed: `candidate`, a baseline, or None.

    Args:
        gate: As configured.
        metric: The gate's metric for the task.
        baselines: Those that were scored.
        standings: Of all models.
        champion: None when there is none.
    """
    rule, values = Rule.of(gate, metric), standings.values
    mine = values[CANDIDATE]
    rivals = [
        Rival(n, mine, values[n], standings.p_better[n]) for n in gate.beats_of(tuple(baselines))
    ]
    notes: list[str] = []
    standing = None
    if champion is not None and gate.champion:
        standing = _standing(champion, values)
        if champion.predictions is not None:
            rivals.append(
                Rival(champion.label, mine, values[CHAMPION], standings.p_better[CHAMPION])
            )
        elif champion.same_model:
            notes.append(champion.reason)
        else:
            notes.append(f"{champion.label} was not compared: {champion.reason}")
    found = judge(rule, mine, rivals, higher=rule.higher, unit=UNIT)
    missing = standings.gaps.get(CANDIDATE, 0)
    if missing:
        found = Judgement((_gap("the candidate", missing), *found.losses), found.wins)
    choice = choose(
        found.passed,
        [_contender(name, rule, standings) for name in baselines],
        standing,
        metric=metric,
        margin=gate.margin,
        higher=rule.higher,
        bless=gate.bless,
    )
    if choice.name == CANDIDATE:
        text = "Blessed: " + _beaten(metric, mine, rivals, standings.sequences)
    elif choice.name is not None:
        refused = "; ".join(found.losses)
        text = (
            f"Blessed: {choice.name}, {metric} {values[choice.name]:.4g}; the network was "
            f"refused: {refused}"
        )
    else:
        text = "Not blessed: " + "; ".join((*found.losses, *choice.reasons[:1]))
    verdict = Verdict(
        blessed=choice.name is not None,
        reasons=(*found.losses, *found.wins, *choice.reasons, *notes),
        summary="; ".join((text, *notes)) + ".",
    )
    return verdict, choice.name


def _standing(champion: SequenceChampionEntry, values: Mapping[str, float]) -> Standing | None:
    """The champion that a baseline has to beat; the candidate, where that is the champion."""
    if champion.same_model:
        return Standing(champion.label, values[CANDIDATE])
    if champion.predictions is None:
        return None
    return Standing(champion.label, values[CHAMPION], same_as=champion.same_as)


def _contender(name: str, rule: Rule, standings: Standings) -> Contender:
    mine, value = standings.values[CANDIDATE], standings.values[name]
    refusal = standings.refusals.get(name, "")
    if name in standings.gaps:
        refusal = refusal or _gap("it", standings.gaps[name])
    beaten = CANDIDATE not in standings.gaps and better(
        mine, value, margin=rule.margin, higher=rule.higher
    )
    if beaten and rule.significance is not None:
        p = standings.p_better[name]
        beaten = math.isfinite(p) and p < rule.significance
    return Contender(name, value, standings.folders.get(name), refusal, beaten)


def _gap(who: str, labels: int) -> str:
    return f"{who} gave no number for {labels} label{'s' if labels > 1 else ''}"


def _beaten(metric: str, mine: float, rivals: Sequence[Rival], sequences: int) -> str:
    over = f"on {sequences} test sequences"
    if not rivals:
        return f"{metric} {mine:.4g} {over}, with nothing to beat"
    beaten = " and ".join(f"{rival.name} {rival.value:.4g}" for rival in rivals)
    return f"{metric} {mine:.4g} beats {beaten} {over}"
