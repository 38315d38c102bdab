"""Calls made again: which, how often, how long."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.status import Code, ServingError
from serving.transport.retry import RETRIED, Budget, Retry


@dataclass
class World:
    """A clock, and a server whose answers are told beforehand."""

    answers: list[Code]
    takes: float = 0.0
    now: float = 100.0
    waits: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    def ask(self, left: float) -> str:
        self.asked.append(left)
        self.now += self.takes
        code = self.answers.pop(0) if self.answers else Code.OK
        if code is Code.OK:
            return "answer"
        raise ServingError(code, "told so")

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def retry(self, retries: int = 8, uniform: Callable[[float, float], float] = max) -> Retry:
        return Retry(retries, sleep=self.sleep, uniform=uniform)

    def budget(self, seconds: float = 30.0) -> Budget:
        return Budget(seconds, lambda: self.now)


@pytest.mark.parametrize("code", sorted(set(Code) - {Code.OK}))
def test_only_what_may_pass_is_tried_again(code: Code) -> None:
    world = World([code])
    if code in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED):
        assert world.retry().call(world.ask, world.budget()) == "answer"
        assert len(world.asked) == 2
    else:
        with pytest.raises(ServingError, match="told so") as caught:
            world.retry().call(world.ask, world.budget())
        assert caught.value.code is code
        assert len(world.asked) == 1
        assert not world.waits


def test_waits_double_up_to_a_cap_and_tries_end() -> None:
    world = World([Code.UNAVAILABLE] * 99)
    with pytest.raises(ServingError, match=r"told so \(tried 9 times\)") as caught:
        world.retry().call(world.ask, world.budget())
    assert caught.value.code is Code.UNAVAILABLE
    assert world.waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0])


def test_without_retries_there_is_one_try() -> None:
    world = World([Code.UNAVAILABLE])
    with pytest.raises(ServingError, match="tried once"):
        world.retry(0).call(world.ask, world.budget())


@given(
    st.lists(st.sampled_from(sorted(RETRIED)), max_size=20),
    st.floats(0, 5),
    st.floats(0.01, 20),
    st.randoms(use_true_random=False),
)
def test_nothing_begins_after_the_end(
    answers: list[Code], takes: float, seconds: float, random: object
) -> None:
    world = World(list(answers), takes)
    budget = world.budget(seconds)
    end = world.now + seconds
    retry = world.retry(uniform=random.uniform)  # type: ignore[attr-defined]
    with suppress(ServingError):
        assert retry.call(world.ask, budget) == "answer"
    # The last wait ends before the end, and each call is told what is left.
    assert world.now - (takes if world.asked else 0) <= end + 1e-6
    assert all(0 < left <= seconds + 1e-6 for left in world.asked)


def test_jitter_is_drawn_from_the_whole_range() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    world = World([Code.UNAVAILABLE] * 3)
    world.retry(uniform=uniform).call(world.ask, world.budget())
    assert drawn == [(0.0, 0.1), (0.0, 0.2), (0.0, 0.4)]
    assert world.waits == [0.0, 0.0, 0.0]
