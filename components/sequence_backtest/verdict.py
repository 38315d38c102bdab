"""What the gate of sequences says, and which model it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.backtest.evaluation import CANDIDATE, CHAMPION, Verdict
from components.backtest.gate import Rival, judge
from components.backtest.verdict import conclude, doubt
from components.backtest.winner import Contender, Standing
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


@dataclass(frozen=True)
class Standings:
    """What the verdict is made from.

    Attributes:
        values: By model, the gate's metric on all test sequences.
        p_better: The one-sided p-value of the paired test that the first model is better than the
            second, both by name; nan where it is not defined.
        size: Test sequences.
        gaps: By model, labels for which it gave no number, where there are any.
        folders: By baseline that can be served, its Model folder.
        refusals: By baseline that cannot be, why.
    """

    values: Mapping[str, float]
    p_better: Callable[[str, str], float]
    size: int
    gaps: Mapping[str, int] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)


def verdict_of(
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
    rule = Rule(metric, gate.margin, gate.significance)
    higher = HIGHER_IS_BETTER[metric]
    mine = standings.values[CANDIDATE]

    def rival(name: str, label: str = "") -> Rival:
        p = standings.p_better(CANDIDATE, name)
        return Rival(label or name, mine, standings.values[name], p)

    rivals = [rival(name) for name in gate.beats_of(tuple(baselines))]
    notes, standing = [], None
    if champion is not None and gate.champion:
        standing = _standing(rule, champion, baselines, standings)
        if champion.predictions is not None:
            rivals.append(rival(CHAMPION, champion.label))
        elif champion.same_model:
            notes.append(champion.reason)
        else:
            notes.append(f"{champion.label} was not compared: {champion.reason}")
    gaps = standings.gaps
    contenders = [
        Contender(
            name,
            standings.values[name],
            standings.folders.get(name),
            standings.refusals.get(name, "") or _gap("it", gaps.get(name, 0)),
            beaten=CANDIDATE not in gaps
            and judge(rule, mine, [rival(name)], higher=higher, unit=UNIT).passed,
        )
        for name in baselines
    ]
    fault = _gap("the candidate", gaps.get(CANDIDATE, 0))
    return conclude(
        rule,
        gate.bless,
        mine,
        rivals,
        contenders,
        standing,
        size=standings.size,
        higher=higher,
        unit=UNIT,
        faults=[fault] if fault else [],
        notes=notes,
    )


def _standing(
    rule: Rule, champion: SequenceChampionEntry, baselines: Sequence[str], standings: Standings
) -> Standing | None:
    """The champion that a baseline has to beat; the candidate, where that is the champion."""
    if champion.predictions is None and not champion.same_model:
        return None
    name = CANDIDATE if champion.same_model else CHAMPION
    if name in standings.gaps:
        return None  # what gives no number stands in nobody's way
    doubts = {}
    if rule.significance is not None:
        doubts = {b: doubt(rule, standings.p_better(b, name), UNIT) for b in baselines}
    return Standing(
        champion.label,
        standings.values[name],
        same_as="" if champion.same_model else champion.same_as,
        doubts={b: text for b, text in doubts.items() if text},
    )


def _gap(who: str, labels: int) -> str:
    if not labels:
        return ""
    return f"{who} gave no number for {labels} label{'s' if labels > 1 else ''}"
