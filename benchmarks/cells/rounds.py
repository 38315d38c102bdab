"""Turns of several sides, interleaved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Name = TypeVar("Name")


def orders(names: Sequence[Name], rounds: int) -> Iterator[list[Name]]:
    """The order of each round: A B C, then C B A, and so on.

    What drifts over minutes then falls on all sides alike, and nobody always comes after the same
    one.
    """
    for number in range(rounds):
        yield list(names) if number % 2 == 0 else list(reversed(names))


def interleaved(
    names: Sequence[str], rounds: int, turn: Callable[[str], float]
) -> dict[str, list[float]]:
    """By name, what `turn` returned in each round.

    Args:
        names: Of the sides.
        rounds: How many turns each gets.
        turn: Runs a turn of a side.
    """
    found: dict[str, list[float]] = {name: [] for name in names}
    for order in orders(names, rounds):
        for name in order:
            found[name].append(turn(name))
    return found
