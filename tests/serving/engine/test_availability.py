"""In which order versions are loaded and dropped."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.availability import Action, Phase, Snapshot, next_action
from tests.serving.restated import restated

SOURCE = "core/availability_preserving_policy_test.cc"
NEW, LOADING, READY = Phase.NEW, Phase.LOADING, Phase.READY
UNLOADING, ENDED, FAILED = Phase.UNLOADING, Phase.ENDED, Phase.FAILED


@dataclass(frozen=True)
class Case:
    """Versions as (number, phase, aspired), and the version to load or drop."""

    id: str
    versions: tuple[tuple[int, Phase, bool], ...]
    load: int | None = None
    drop: int | None = None


CASES = [
    Case(
        "LoadsNewAspired",
        (
            (1, UNLOADING, False),
            (2, FAILED, False),
            (3, READY, True),
            (4, NEW, True),
            (5, NEW, True),
        ),
        load=5,
    ),
    Case(
        "UnloadsNonAspiredFirst",
        (
            (1, UNLOADING, False),
            (2, FAILED, False),
            (3, READY, False),
            (4, READY, True),
            (5, NEW, True),
        ),
        drop=3,
    ),
    Case(
        "UnloadsFirstNonAspiredWhenNoAspired",
        ((1, ENDED, False), (2, READY, False), (3, FAILED, False)),
        drop=2,
    ),
    Case(
        "ReturnsNoActionWhenNone",
        (
            (1, READY, True),
            (2, FAILED, True),
            (3, LOADING, True),
            (4, UNLOADING, False),
            (5, ENDED, False),
        ),
    ),
    Case("DoesNotUnloadWhenOtherNotReady", ((1, READY, False), (2, LOADING, True))),
    Case("DoesNotUnloadWhenOtherInError", ((1, READY, False), (2, FAILED, True))),
    Case(
        "UnloadIfOtherReadyEvenIfLoading",
        ((1, READY, False), (2, LOADING, True), (3, READY, True)),
        drop=1,
    ),
    Case(
        "UnloadIfOtherReadyEvenIfError",
        ((1, READY, False), (2, FAILED, True), (3, READY, True)),
        drop=1,
    ),
    Case(
        "UnloadIfNoAspiredVersionsReady",
        ((2, READY, False), (1, READY, False), (3, FAILED, True), (4, LOADING, True)),
        drop=1,
    ),
]


@pytest.mark.parametrize("case", restated(SOURCE, CASES))
def test_next_action(case: Case) -> None:
    action = next_action([Snapshot(*version) for version in case.versions])
    version = None if action is None else case.versions[action.index][0]
    assert (version if action and action.load else None) == case.load
    assert (version if action and not action.load else None) == case.drop


SNAPSHOTS = st.lists(
    st.builds(
        Snapshot, st.integers(0, 9), st.sampled_from([NEW, READY, FAILED, UNLOADING]), st.booleans()
    ),
    max_size=6,
)


@given(SNAPSHOTS, st.sets(st.integers(0, 9)))
def test_as_long_as_something_is_aspired_something_stays_ready(
    versions: list[Snapshot], broken: set[int]
) -> None:
    """Doing all that is to be done ends, and never gives up the last version that is ready."""
    aspired = any(each.aspired for each in versions)
    steps = 0
    while (action := next_action(versions)) is not None:
        ready = sum(each.phase is READY for each in versions)
        versions = list(versions)
        versions[action.index] = _done(versions[action.index], action, broken)
        if aspired and ready:
            assert any(each.phase is READY for each in versions)
        steps += 1
        assert steps <= 12
    leftover = [each for each in versions if each.phase is READY and not each.aspired]
    serving = [each for each in versions if each.phase is READY and each.aspired]
    assert not any(each.phase is NEW and each.aspired for each in versions)
    assert len(leftover) <= (1 if aspired and not serving else 0)


def _done(snapshot: Snapshot, action: Action, broken: set[int]) -> Snapshot:
    phase = (FAILED if snapshot.version in broken else READY) if action.load else ENDED
    return Snapshot(snapshot.version, phase, snapshot.aspired)
