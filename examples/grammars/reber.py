"""The Reber grammar and its embedded form.

The grammar is that of A. S. Reber, "Implicit learning of artificial grammars" (1967), as drawn by
A. Cleeremans, D. Servan-Schreiber and J. L. McClelland, "Finite state automata and simple recurrent
networks" (Neural Computation, 1989), who show that an Elman network learns it: two symbols of
context are enough. In the embedded form (S. E. Fahlman, "The recurrent cascade-correlation
architecture", 1991; S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation,
1997, experiment 1) the second symbol comes back as the second-last one, with a Reber string of any
length between them: who does not remember it can only guess.
"""

from __future__ import annotations

from examples.grammars.machine import Machine

REBER = Machine(
    arrows=(
        {"B": 1},
        {"T": 2, "P": 3},
        {"S": 2, "X": 4},
        {"T": 3, "V": 5},
        {"X": 3, "S": 6},
        {"P": 4, "V": 6},
        {"E": 7},
        {},
    ),
    end=7,
)


def embedded(inner: Machine, marks: str = "TP") -> Machine:
    """B, a mark, a string of `inner`, the same mark again, E."""
    size = len(inner.arrows)
    last = 2 + size * len(marks)
    arrows: list[dict[str, int]] = [
        {"B": 1},
        {mark: 2 + size * i for i, mark in enumerate(marks)},
    ]
    for i, mark in enumerate(marks):
        first = 2 + size * i
        copy = [{s: first + to for s, to in way.items()} for way in inner.arrows]
        copy[inner.end] = {mark: last}
        arrows += copy
    return Machine((*arrows, {"E": last + 1}, {}), end=last + 1)


EMBEDDED_REBER = embedded(REBER)
LONG_RANGE = -2
"""Position of the symbol of an embedded string that must be remembered."""
