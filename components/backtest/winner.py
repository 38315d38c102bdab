"""Which model is to be blessed: the candidate, or a baseline in its place; and where it is put.

Shared by the backtests of all tasks; needs neither TensorFlow nor TFX.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from models.errors import FailedRunError

CANDIDATE = "candidate"
Bless = Literal["best", "model"]


@dataclass(frozen=True)
class Contender:
    """A baseline that was scored on the same outcomes as the candidate.

    Attributes:
        name: Of the baseline.
        value: Its metric on all test outcomes.
        folder: Laid out like a Model artifact; None where it cannot be served.
        refusal: Why it cannot be served, or not as it was scored; empty if it can.
        beaten: Whether the candidate has beaten it by the gate's own rule.
    """

    name: str
    value: float
    folder: Path | None
    refusal: str = ""
    beaten: bool = False


@dataclass(frozen=True)
class Standing:
    """The champion, re-scored.

    Attributes:
        label: For the reader, such as `the champion (version 3)`.
        value: Its metric on the outcomes of the comparison.
        values: By contender, its metric on the same outcomes.
        same_as: The contender that is this very model, by its digest; empty if none is.
        doubts: By contender, why it does not count that it is better, such as `but not
            significantly`; those without a doubt are left out.
    """

    label: str
    value: float
    values: Mapping[str, float] = field(default_factory=dict)
    same_as: str = ""
    doubts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """What is blessed.

    Attributes:
        name: `candidate`, or a baseline; None if nothing is.
        reasons: Sentences without a full stop, the one that decided first; empty where only the
            candidate was in question.
    """

    name: str | None
    reasons: tuple[str, ...] = ()


def better(mine: float, other: float, *, margin: float = 0.0, higher: bool = False) -> bool:
    """Whether `mine` beats `other` by the share `margin`.

    A tie is no win, and a value that is not a finite number neither wins nor can be beaten.

    Args:
        mine: A metric.
        other: The same metric of another model.
        margin: 0.01 is one per cent of what there is to gain: of `other`, or, where higher values
            are better, of its distance to 1.
        higher: Whether higher values are better; such a metric is 1 at best.
    """
    if not (math.isfinite(mine) and math.isfinite(other)):
        return False
    return mine > other + margin * (1 - other) if higher else mine < (1 - margin) * other


def choose(
    passed: bool,
    contenders: Sequence[Contender],
    champion: Standing | None,
    *,
    metric: str,
    margin: float = 0.0,
    higher: bool = False,
    bless: Bless = "best",
) -> Choice:
    """The model to bless.

    The candidate, if it has passed the gate. Otherwise, with `bless="best"`, the best of the
    baselines that can be served and that the candidate has not beaten, if that baseline beats the
    champion too. Where the champion is that very baseline it stays blessed; nothing new is pushed
    then, because a push knows the model that is live by its digest.

    Args:
        passed: Whether the candidate has passed the gate.
        contenders: The baselines that were scored; of equal values the first one is taken.
        champion: None where there is none, where it could not be compared, or where the gate does
            not ask for it.
        metric: What `value` is, for the sentences.
        margin: Share by which the champion has to be beaten.
        higher: Whether higher values are better.
        bless: `model`: only the candidate can be blessed.
    """
    if passed:
        return Choice(CANDIDATE)
    if bless == "model":
        return Choice(None)
    finite = [c for c in contenders if math.isfinite(c.value)]
    ranked = sorted(finite, key=lambda c: -c.value if higher else c.value)
    servable = [c for c in ranked if c.folder is not None and not c.refusal and not c.beaten]
    best = servable[0] if servable else None
    refused = tuple(
        f"the baseline {c.name} ({metric} {c.value:.4g}) cannot be blessed: {c.refusal}"
        for c in ranked[: None if best is None else ranked.index(best)]
        if c.refusal and not c.beaten
    )
    if best is None:
        return Choice(None, ("no baseline can be blessed in its place", *refused))
    blessed = f"the baseline {best.name} is blessed in its place: {metric} {best.value:.4g}"
    if champion is None:
        return Choice(best.name, (blessed, *refused))
    if champion.same_as == best.name:
        return Choice(best.name, (f"{blessed}, and it is {champion.label} already", *refused))
    mine = champion.values.get(best.name, best.value)
    own, other = apart(mine, champion.value)
    side, won = (
        "above" if higher else "below",
        better(mine, champion.value, margin=margin, higher=higher),
    )
    share = f" (margin {100 * margin:g}%)" if margin else ""
    text = f"{metric} {own} is{'' if won else ' not'} {side} {champion.label} {other}{share}"
    doubt = champion.doubts.get(best.name, "")
    if won and not doubt:
        return Choice(best.name, (f"{blessed}; {text}", *refused))
    why = ", a tie is not a win" if mine == champion.value else f", {doubt}" if won else ""
    reason = f"the best baseline {best.name} is not blessed in its place: {text}{why}"
    return Choice(None, (reason, *refused))


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers in words, with so many digits that they read differently if they differ."""
    for digits in (4, 6, 9, 17):
        first, second = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if first != second or a == b:
            break
    return first, second


def place_winner(source: Path, out: Path) -> None:
    """Puts the files of a Model folder into the folder `out` as hard links, or as copies where
    the file system has no links.

    Artifacts are never changed once they are written, so two of them may share their files.

    Args:
        source: The Model folder of the winner.
        out: The output artifact's folder; made if missing.

    Raises:
        FailedRunError: If `source` is not a folder, or `out` holds something already.
    """
    if not source.is_dir():
        raise FailedRunError(f"the model folder {source} is gone: run the pipeline again")
    if out.exists() and any(out.iterdir()):
        raise FailedRunError(f"{out} is not empty: expected a new folder for the winner")
    shutil.copytree(source, out, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, destination: str) -> None:
    try:
        os.link(source, destination)
    except OSError:
        shutil.copy2(source, destination)
