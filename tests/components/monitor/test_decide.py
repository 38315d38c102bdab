"""The decision, for every combination of what checks find and ask for."""

from __future__ import annotations

from itertools import product

import pytest

from components.monitor.config import ConceptDriftConfig, DataDriftConfig, DriftConfig
from components.monitor.decide import decide
from components.monitor.report import Check, WatchedChampion

CHAMPION = WatchedChampion(
    version="17",
    digest="d",
    train_start="2020-01-01T00:00:00Z",
    train_end="2020-06-01T00:00:00Z",
    data_end="2020-09-01T00:00:00Z",
    reference="model",
)
ACTIONS = ("warn", "stop", "retrain")
STATES = ("drifted", "steady", "waiting", "broken")


def check(name: str, action: str, state: str) -> Check:
    return Check(
        name=name,
        action=action,
        state=state if state in ("drifted", "steady") else "not_checked",
        waiting=state == "waiting",
        reason="" if state == "steady" else f"{name} is {state}",
    )


def decided(
    data: tuple[str, str], concept: tuple[str, str], *, every: float | None = None, **options
):
    config = DriftConfig(
        data=DataDriftConfig(action=data[0]),
        concept=ConceptDriftConfig(action=concept[0]),
        retrain_every=every,
    )
    checks = [check("data", *data), check("concept", *concept)]
    return decide(config, CHAMPION, checks, **{"days": 3.0, **options})


def expected(*given: tuple[str, str]) -> str:
    """The rule, said another way."""
    if ("stop", "drifted") in given:
        return "stop"
    asked = [state for action, state in given if action == "retrain"]
    if asked and "drifted" not in asked and "broken" not in asked:
        return "hold"
    return "go"


@pytest.mark.parametrize("data", list(product(ACTIONS, STATES)))
@pytest.mark.parametrize("concept", list(product(ACTIONS, STATES)))
def test_every_combination(data: tuple[str, str], concept: tuple[str, str]) -> None:
    found = decided(data, concept)
    assert found.decision == expected(data, concept)
    for name, (_, state) in (("data", data), ("concept", concept)):
        assert any(r.startswith(f"{name}: ") for r in found.reasons) is (state != "steady")


def test_a_hold_names_the_champion_that_still_holds() -> None:
    found = decided(("retrain", "steady"), ("warn", "drifted"))
    assert found.decision == "hold"
    assert found.summary == "held: champion version 17 still holds"
    assert found.drifted == ("concept",)


@pytest.mark.parametrize(("every", "decision"), [(2.0, "go"), (3.0, "go"), (3.5, "hold")])
def test_after_enough_new_days_it_trains_in_any_case(every: float, decision: str) -> None:
    found = decided(("retrain", "steady"), ("warn", "steady"), every=every)
    assert found.decision == decision
    assert any("retrain_every" in reason for reason in found.reasons) is (decision == "go")


def test_force_trains_but_never_past_a_stop() -> None:
    assert decided(("retrain", "steady"), ("warn", "steady"), force=True).decision == "go"
    assert decided(("stop", "drifted"), ("warn", "steady"), force=True).decision == "stop"


def test_summaries_say_what_was_found() -> None:
    assert decided(("warn", "steady"), ("warn", "steady")).summary == (
        "no drift since champion version 17"
    )
    assert decided(("warn", "drifted"), ("warn", "steady")).summary == "drift: data is drifted"
    assert decided(("warn", "waiting"), ("warn", "broken")).summary == "drift was not checked"
    assert decided(("stop", "drifted"), ("warn", "drifted")).summary == "stopped: data is drifted"
