"""`judge`: what a network's next-symbol probabilities are worth, by the grammar itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from examples.grammars.machine import Machine


@dataclass(frozen=True)
class Verdict:
    """Counts over all steps of all strings; a step is one prediction of the next symbol.

    Attributes:
        strings: How many.
        steps: Predictions judged: one fewer than symbols, per string.
        legal: Steps where the most probable symbol may follow.
        complete: Steps where all symbols that may follow come before all that may not; the strict
            measure of Hochreiter and Schmidhuber (1997).
        illegal_mass: Mean probability of what may not follow.
        remembered: Strings whose symbol at `position` was the most probable one before it came.
        perfect: Strings without a step that is not `complete`.
    """

    strings: int
    steps: int
    legal: int
    complete: int
    illegal_mass: float
    remembered: int
    perfect: int

    @property
    def legal_share(self) -> float:
        """`legal` over `steps`."""
        return self.legal / self.steps

    @property
    def complete_share(self) -> float:
        """`complete` over `steps`."""
        return self.complete / self.steps

    @property
    def remembered_share(self) -> float:
        """`remembered` over `strings`."""
        return self.remembered / self.strings


def judge(
    machine: Machine,
    strings: Iterable[str],
    probabilities: Iterable[npt.NDArray[Any]],
    symbols: Sequence[str],
    position: int = -2,
) -> Verdict:
    """Judges predictions by what `machine` allows, not by what happened to follow.

    Args:
        machine: The grammar.
        strings: Complete strings of the grammar.
        probabilities: For each string, float `[len(string) - 1, len(symbols)]`: after each symbol
            but the last, the probability of each next one.
        symbols: What the columns stand for; one that the grammar lacks is never legal.
        position: The symbol to remember, counted as Python does.

    Raises:
        ValueError: If a string is not of the grammar, or an array has another shape.
    """
    index = {symbol: i for i, symbol in enumerate(symbols)}
    count = steps = legal = complete = remembered = perfect = 0
    illegal_mass = 0.0
    for string, given in zip(strings, probabilities, strict=True):
        if not machine.accepts(string):
            raise ValueError(f"{string!r} is not a string of the grammar")
        if given.shape != (len(string) - 1, len(symbols)):
            raise ValueError(
                f"probabilities for {string!r} have the shape {given.shape}, expected "
                f"{(len(string) - 1, len(symbols))}: a row per step, a column per symbol"
            )
        allowed = np.zeros(given.shape, np.bool_)
        for row, following in zip(allowed, machine.legal_steps(string[:-1]), strict=True):
            row[[index[symbol] for symbol in following]] = True
        least = np.where(allowed, given, np.inf).min(axis=1)
        most = np.where(allowed, -np.inf, given).max(axis=1)
        fine = least > most
        first = given.argmax(axis=1)
        count += 1
        steps += len(given)
        legal += int(allowed[np.arange(len(given)), first].sum())
        complete += int(fine.sum())
        perfect += bool(fine.all())
        illegal_mass += float(given[~allowed].sum())
        at = range(len(string))[position]
        remembered += symbols[first[at - 1]] == string[at]
    return Verdict(count, steps, legal, complete, illegal_mass / max(steps, 1), remembered, perfect)
