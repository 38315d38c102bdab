"""`Budget` and `Retry`: calls made again, while their time lasts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from serving.status import Code, ServingError

Result = TypeVar("Result")
RETRIED = frozenset({Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED})
"""What may be gone a moment later; anything else would come out the same again."""


class Budget:
    """The time that a call and all its repetitions may take.

    Args:
        seconds: From now on.
        clock: Seconds from any fixed moment.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; negative when they are over."""
        return self._end - self._clock()


@dataclass(frozen=True)
class Retry:
    """Exponential backoff with full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015).

    All calls of a model server are idempotent, so any may be made again.

    Attributes:
        retries: How often a call is made again at most.
        base: The first wait is a random time up to this many seconds, the next up to twice that.
        cap: No wait is longer, in seconds.
        sleep: Waits.
        uniform: Draws from a range.
    """

    retries: int = 8
    base: float = 0.1
    cap: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = field(default=random.uniform)

    def call(self, ask: Callable[[float], Result], budget: Budget) -> Result:
        """What `ask` returns; it gets the seconds that are left.

        Raises:
            ServingError: The last one of `ask`; DEADLINE_EXCEEDED if there is no time at all.
        """
        tries = 0
        while True:
            left = budget.left
            if left <= 0:
                raise ServingError(Code.DEADLINE_EXCEEDED, f"no answer within {budget.seconds:g} s")
            try:
                return ask(left)
            except ServingError as error:
                wait = self.uniform(0.0, min(self.cap, self.base * 2.0**tries))
                if error.code not in RETRIED or tries >= self.retries:
                    raise _told(error, tries) from error
                if wait >= budget.left:
                    raise _told(error, tries, f" within {budget.seconds:g} s") from error
            tries += 1
            self.sleep(wait)


def _told(error: ServingError, tries: int, within: str = "") -> ServingError:
    if error.code not in RETRIED:
        return error
    times = "once" if not tries else f"{tries + 1} times"
    return ServingError(error.code, f"{error.message} (tried {times}{within})")
