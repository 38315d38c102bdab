"""Turns that other tenants of the machine disturbed are taken again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")
Clock = Callable[[], tuple[float, float]]

AGAIN = 8
"""Most turns in a row of one side that count as one."""
TOLERATED = 0.01
"""Share of the processors' time that others may take in a turn that counts."""
_STOLEN = 7  # the eighth number of the first line, see proc(5)


def ticks(file: Path = Path("/proc/stat")) -> tuple[float, float]:
    """Seconds over all processors since the start: those that the hypervisor gave to others while
    somebody here waited for them, and all there were. Zeros where the system does not tell.
    """
    try:
        words = file.read_text().split("\n", 1)[0].split()[1:]
    except FileNotFoundError:
        return 0.0, 0.0
    each = [int(word) / os.sysconf("SC_CLK_TCK") for word in words[: _STOLEN + 1]]
    return each[_STOLEN], sum(each)


def least_disturbed(turn: Callable[[], Answer], clock: Clock = ticks) -> tuple[Answer, float]:
    """What the least disturbed turn gave, and the share of processor time that others took in it.

    The first turn of which they took no more than `TOLERATED` counts, or the least disturbed of
    `AGAIN` of them. What a turn itself found plays no part in the choice.

    Args:
        turn: Takes a turn.
        clock: See `ticks`.
    """
    best: tuple[Answer, float] | None = None
    for _ in range(AGAIN):
        stolen, all_ = clock()
        answer = turn()
        stolen_after, all_after = clock()
        share = (stolen_after - stolen) / max(all_after - all_, 1e-9)
        if best is None or share < best[1]:
            best = answer, share
        if share <= TOLERATED:
            break
    assert best is not None
    return best
