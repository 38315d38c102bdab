"""A search goes on where it was killed, keeps to its budget, and never runs a trial twice."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from components.tune.config import TuneConfig
from components.tune.oracle import Proposals
from components.tune.search import Budget, Found, search
from components.tune.space import hyperparameters
from components.tune.state import SearchState
from models.errors import FailedRunError
from tests.components.tune.fake_runs import InProcess, KilledError, Quiet, loss_of

SPACE = {
    "train.learning_rate": {"min": 1e-4, "max": 1.0, "scale": "log"},
    "window.lookback": {"min": 2, "max": 20},
    "model.units": [[8], [16, 16], [32]],
}
TRIALS = {"random": 20, "hyperband": 20, "bayesian": 5}


def tuning(algorithm: str, **changes: Any) -> TuneConfig:
    given = {"algorithm": algorithm, "space": SPACE, "max_trials": TRIALS[algorithm], **changes}
    return TuneConfig.model_validate(given)


def go(
    tune: TuneConfig,
    folder: Path,
    runner: InProcess,
    budget: Budget | None = None,
    watcher: Any = None,
) -> Found:
    proposals = Proposals(tune, hyperparameters(tune), None, epochs=9)
    budget = budget or Budget(tune.max_trials)
    return search(proposals, runner, folder, budget, watcher or Quiet())


def outcome(found: Found) -> list[tuple[Any, ...]]:
    """What must not depend on a kill."""
    return [(r.id, r.values, r.val_loss, r.limit) for r in found.state.records.values()]


@pytest.mark.parametrize("algorithm", TRIALS)
def test_killed_after_any_trial_it_runs_only_the_remaining_ones(
    algorithm: str, tmp_path: Path
) -> None:
    tune = tuning(algorithm)
    whole = go(tune, tmp_path / "whole", InProcess())
    assert len(whole.state.records) == TRIALS[algorithm]
    # Each start finishes one trial and is killed in the middle of the next one.
    done: list[str] = []
    for nth in range(TRIALS[algorithm]):
        runner = InProcess()

        def one(order: Any, runner: InProcess = runner) -> float:
            if runner.finished:
                raise KilledError
            return loss_of(dict(order.values))

        runner.run = one
        last = nth == TRIALS[algorithm] - 1
        with nullcontext() if last else pytest.raises(KilledError):
            found = go(tune, tmp_path / "killed", runner)
        assert runner.closed
        done += runner.finished
    assert outcome(found) == outcome(whole)
    assert done == list(whole.state.records), "a finished trial was run again, or one never"
    starts = [record.starts for record in found.state.records.values()]
    assert starts == [1] + [2] * (TRIALS[algorithm] - 1)


def test_of_twenty_trials_ten_are_left_after_a_kill(tmp_path: Path) -> None:
    tune = tuning("random")
    first = InProcess()

    def ten(order: Any) -> float:
        if len(first.finished) == 10:
            raise KilledError
        return loss_of(dict(order.values))

    first.run = ten
    with pytest.raises(KilledError):
        go(tune, tmp_path, first)
    second = InProcess()
    found = go(tune, tmp_path, second)
    assert first.finished == [f"{n:02d}" for n in range(10)]
    assert second.finished == [f"{n:02d}" for n in range(10, 20)]
    assert (found.resumed, found.ended) == (10, "trials")
    third = InProcess()
    assert outcome(go(tune, tmp_path, third)) == outcome(found)
    assert third.started == []


def test_killed_at_any_write_of_its_state_nothing_is_lost_or_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune = tuning("random", max_trials=3)
    whole = outcome(go(tune, tmp_path / "whole", InProcess()))
    replace, count = Path.replace, [0]

    def torn(self: Path, target: Path) -> Any:
        count[0] += 1
        if count[0] == at:
            if after:
                replace(self, target)
            raise KilledError
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", torn)
    for after in (False, True):
        for at in range(1, 7):  # a trial is written when it begins and when it ends
            folder, count[0] = tmp_path / f"{after}{at}", 0
            first, second = InProcess(), InProcess()
            with pytest.raises(KilledError):
                go(tune, folder, first)
            count[0] = 100
            assert outcome(go(tune, folder, second)) == whole
            known = SearchState.load(folder)
            assert known.count("completed") == 3
            # The end of a trial is known from its write on, and not before.
            again = set(first.finished) & set(second.finished)
            lost_end = not after and at % 2 == 0
            assert again == ({first.finished[-1]} if lost_end else set())


def test_more_trials_go_on_with_the_same_search(tmp_path: Path) -> None:
    short = go(tuning("random", max_trials=4), tmp_path / "a", InProcess())
    runner = InProcess()
    longer = go(tuning("random", max_trials=9), tmp_path / "a", runner)
    assert len(runner.finished) == 5
    assert outcome(longer)[:4] == outcome(short)
    values = [values for _, values, _, _ in outcome(longer)]
    whole = go(tuning("random", max_trials=9), tmp_path / "b", InProcess())
    assert values == [values for _, values, _, _ in outcome(whole)]


def test_interrupted_trials_of_several_slots_come_first_and_in_order(tmp_path: Path) -> None:
    tune = tuning("random", max_trials=6)
    first = InProcess(slots=3)

    def killed(order: Any) -> float:
        if order.id == "2":
            raise KilledError
        return 1.0

    first.run = killed
    with pytest.raises(KilledError):
        go(tune, tmp_path, first)
    running = [o.id for o in first.started if o.id not in first.finished]
    second = InProcess(slots=3)
    go(tune, tmp_path, second)
    assert [order.id for order in second.started][: len(running)] == running
    assert sorted(first.finished + second.finished) == [str(n) for n in range(6)]


class Clock:
    """Seconds that pass when a trial runs."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def trial(self) -> None:
        self.now += 60.0


def test_no_trial_begins_after_the_time_and_running_ones_are_ended(tmp_path: Path) -> None:
    clock = Clock()
    runner = InProcess(slots=2, seconds=clock.trial)
    ended: list[tuple[str, str]] = []

    class Hears(Quiet):
        def ended(self, record: Any) -> None:
            ended.append((record.id, record.status))

    budget = Budget(20, seconds=150.0, clock=clock)
    found = go(tuning("random"), tmp_path, runner, budget, Hears())
    assert found.ended == "time"
    assert runner.finished == ["00", "01", "02"]  # at 60, 120 and 180 seconds
    assert ended[-1] == ("03", "running")
    # The time spent is known after a kill; with more of it the ended trial is run, not a new one.
    again = InProcess(seconds=clock.trial)
    more = go(tuning("random"), tmp_path, again, Budget(20, seconds=200.0, clock=clock))
    assert [order.id for order in again.started] == ["03"]
    assert more.ended == "time"


def test_the_first_trial_to_finish_is_waited_for_however_long(tmp_path: Path) -> None:
    clock = Clock()
    runner = InProcess(seconds=clock.trial)
    found = go(tuning("random"), tmp_path, runner, Budget(20, seconds=1.0, clock=clock))
    assert runner.finished == ["00"]
    assert found.state.count("completed") == 1


def test_a_failed_trial_counts_has_its_reason_and_is_not_run_again(tmp_path: Path) -> None:
    runner = InProcess(run=lambda order: None if order.id in ("1", "3") else 1.0)
    found = go(tuning("random", max_trials=5), tmp_path, runner)
    failed = {r.id: r.message for r in found.state.records.values() if r.status == "failed"}
    assert failed == {"1": "it was meant to fail", "3": "it was meant to fail"}
    again = InProcess()
    go(tuning("random", max_trials=5), tmp_path, again)
    assert again.started == []


def test_where_all_trials_fail_the_search_gives_up_and_starts_anew_the_next_time(
    tmp_path: Path,
) -> None:
    runner = InProcess(run=lambda _: None)
    with pytest.raises(FailedRunError, match=r"all of 3 trials failed.*it was meant to fail"):
        go(tuning("random"), tmp_path, runner)
    assert len(runner.finished) == 3
    found = go(tuning("random"), tmp_path, InProcess())
    assert found.state.count("completed") == 20


def test_a_space_that_is_used_up_ends_the_search(tmp_path: Path) -> None:
    space = {"train.learning_rate": [0.1, 0.01], "window.lookback": [4]}
    for algorithm in TRIALS:
        found = go(tuning(algorithm, space=space), tmp_path / algorithm, InProcess())
        tried = {tuple(values.values()) for _, values, _, _ in outcome(found)}
        assert tried == {(0.1, 4), (0.01, 4)}
        assert found.ended == "space"


def test_hyperband_goes_on_with_the_best_of_a_round(tmp_path: Path) -> None:
    runner = InProcess()
    go(tuning("hyperband"), tmp_path, runner)
    losses = {order.id: loss_of(dict(order.values)) for order in runner.started}
    first = [order.id for order in runner.started if order.epochs == 1]
    second = [order.continues for order in runner.started if order.continues in first]
    assert len(second) >= 3
    assert set(second) == set(sorted(first, key=losses.__getitem__)[: len(second)])
    assert {order.epochs for order in runner.started} <= {1, 3, 9}
