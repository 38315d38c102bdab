"""`Machine`: a finite-state machine that writes strings and judges them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Machine:
    """A deterministic finite-state machine over one-letter symbols.

    It starts in state 0. A string is accepted if it leads to `end`, which has no way out.

    Attributes:
        arrows: By state, the next state for each symbol that may follow.
        end: The state in which a string is complete.
    """

    arrows: tuple[Mapping[str, int], ...]
    end: int

    def __post_init__(self) -> None:
        if self.arrows[self.end]:
            raise ValueError(f"state {self.end} ends a string, so no arrow may leave it")

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol there is, in alphabetical order."""
        return tuple(sorted({symbol for way in self.arrows for symbol in way}))

    def draw(self, rng: np.random.Generator) -> str:
        """One string; where several symbols may follow, each is equally likely."""
        state, string = 0, ""
        while state != self.end:
            ways = self._ways[state]
            symbol, state = ways[int(rng.random() * len(ways)) if len(ways) > 1 else 0]
            string += symbol
        return string

    def distinct(self, count: int, rng: np.random.Generator) -> list[str]:
        """`count` different strings, in the order in which they were first drawn.

        Raises:
            ValueError: If a thousand draws in a row bring nothing new, as in a small language.
        """
        found: dict[str, None] = {}
        idle = 0
        while len(found) < count:
            before = len(found)
            found[self.draw(rng)] = None
            idle = 0 if len(found) > before else idle + 1
            if idle == 1000:
                raise ValueError(
                    f"asked for {count} different strings, found {before} and then no other in "
                    "1000 draws: ask for fewer"
                )
        return list(found)

    def legal(self, prefix: str) -> frozenset[str]:
        """Symbols that may follow `prefix`; none after a complete string.

        Raises:
            ValueError: If no string of the language begins with `prefix`.
        """
        state = self._after(prefix)
        if state is None:
            raise ValueError(f"{prefix!r} is not the beginning of a string of this grammar")
        return frozenset(self.arrows[state])

    def legal_steps(self, string: str) -> Iterator[frozenset[str]]:
        """After each symbol of `string`, the symbols that may follow it.

        Raises:
            ValueError: If `string` is not the beginning of a string of the language.
        """
        state = 0
        for position, symbol in enumerate(string):
            if symbol not in self.arrows[state]:
                raise ValueError(
                    f"{string!r} breaks the grammar at position {position}: got {symbol!r}, "
                    f"expected one of {sorted(self.arrows[state])}"
                )
            state = self.arrows[state][symbol]
            yield frozenset(self.arrows[state])

    def accepts(self, string: str) -> bool:
        """Whether `string` is complete and legal."""
        return self._after(string) == self.end

    @cached_property
    def _ways(self) -> tuple[tuple[tuple[str, int], ...], ...]:
        return tuple(tuple(sorted(way.items())) for way in self.arrows)

    def _after(self, prefix: str) -> int | None:
        state = 0
        for symbol in prefix:
            if symbol not in self.arrows[state]:
                return None
            state = self.arrows[state][symbol]
        return state
