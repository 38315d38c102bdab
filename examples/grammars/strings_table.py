"""A grammar's strings as a long table of parts that share no string."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from examples.grammars.machine import Machine

HEADER = ("string", "step", "symbol", "part")


def disjoint(machine: Machine, sizes: Mapping[str, int], seed: int) -> dict[str, list[str]]:
    """By part, so many strings; all of them are different.

    Which part a string goes to does not depend on when it was first drawn: short strings, which
    are drawn early, are spread over the parts like the others.
    """
    rng = np.random.default_rng(seed)
    strings = machine.distinct(sum(sizes.values()), rng)
    order = [strings[i] for i in rng.permutation(len(strings))]
    parts, first = {}, 0
    for part, size in sizes.items():
        parts[part] = order[first : first + size]
        first += size
    return parts


def rows(parts: Mapping[str, list[str]]) -> Iterator[tuple[str, str, str, str]]:
    """The rows of the table: a symbol each."""
    for part, strings in parts.items():
        for number, string in enumerate(strings, 1):
            for step, symbol in enumerate(string, 1):
                yield f"{part}-{number:04d}", str(step), symbol, part
