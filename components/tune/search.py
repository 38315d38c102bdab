"""`search`: trials one after the other, or several at a time, until a budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from components.tune.state import SearchState, TrialRecord
from components.tune.trial import Epoch, Order, Outcome, Runner
from models.errors import FailedRunError

GIVE_UP_AFTER = 3
"""Trials that fail before any other one was finished: then the reason is not in their values."""

Ended = Literal["trials", "time", "space"]


class Proposing(Protocol):
    """Says what to try next; `components.tune.oracle.Proposals` is one."""

    def next(self, slot: int) -> Any:
        """A `Proposal` for a free slot, or None."""

    def completed(self, trial_id: str, val_loss: float, best_epoch: int) -> None:
        """A trial was finished."""

    def failed(self, trial_id: str, message: str) -> None:
        """A trial failed."""

    @property
    def state(self) -> dict[str, Any]:
        """All it knows."""

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there."""


class Watcher(Protocol):
    """Hears how a search goes."""

    def started(self, record: TrialRecord) -> None:
        """A trial starts."""

    def epoch(self, record: TrialRecord, epoch: int, values: Mapping[str, float]) -> None:
        """A trial has finished an epoch."""

    def ended(self, record: TrialRecord) -> None:
        """A trial was completed or failed, or (`running`) was stopped for the time being over."""


@dataclass
class Budget:
    """What a search may cost.

    Attributes:
        trials: In all.
        seconds: Wall time over all starts, or None.
        clock: Seconds.
    """

    trials: int
    seconds: float | None = None
    clock: Callable[[], float] = field(default=time.monotonic)


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        state: All trials.
        ended: What ended it: enough trials, the time, or a space with nothing left to try.
        resumed: Trials that were finished already when it was started.
    """

    state: SearchState
    ended: Ended
    resumed: int


def search(
    proposals: Proposing, runner: Runner, folder: Path, budget: Budget, watcher: Watcher
) -> Found:
    """Runs trials until the budget is spent, and keeps the state after each in `folder`.

    Killed at any point and called again with the same arguments, it goes on: trials that were
    finished are not run again, those that ran are run again before any new one, and with one slot
    all trials are the same as without the kill.

    Args:
        proposals: New; restored from `folder` if there is a state.
        runner: Runs the trials; closed at the end, however it comes.
        folder: For this very search.
        budget: When to stop.
        watcher: Hears what happens.

    Raises:
        FailedRunError: If no trial was completed.
    """
    state = SearchState.load(folder)
    if not state.count("completed") and state.count("failed") >= GIVE_UP_AFTER:
        state = SearchState()  # what made them fail may be gone
    if state.oracle:
        proposals.restore(state.oracle)
    resumed = state.count("completed") + state.count("failed")
    with _closing(runner):
        ended = _Loop(proposals, runner, folder, budget, watcher, state).run()
    if not state.count("completed"):
        raise FailedRunError(_nothing(state))
    return Found(state, ended, resumed)


class _Loop:
    def __init__(
        self,
        proposals: Proposing,
        runner: Runner,
        folder: Path,
        budget: Budget,
        watcher: Watcher,
        state: SearchState,
    ) -> None:
        self._proposals, self._runner, self._folder = proposals, runner, folder
        self._budget, self._watcher, self._state = budget, watcher, state
        self._busy: dict[int, str] = {}
        self._begun = budget.clock() - state.seconds

    def run(self) -> Ended:
        while True:
            self._fill()
            if not self._busy:
                return self._why()
            if self._past_end() and self._state.count("completed"):
                for name in self._busy.values():
                    self._watcher.ended(self._state.records[name])
                self._save()
                return "time"
            for event in self._runner.wait(self._left()):
                name = self._busy[event.slot]
                if isinstance(event, Epoch):
                    self._watcher.epoch(self._state.records[name], event.epoch, event.values)
                else:
                    self._end(name, event)

    def _fill(self) -> None:
        for slot in range(self._runner.slots):
            if slot in self._busy or not self._may_start():
                continue
            proposal = self._proposals.next(slot)
            if proposal is None:
                continue
            before = self._state.records.get(proposal.id)
            record = TrialRecord(
                id=proposal.id,
                values=proposal.values,
                limit=proposal.epochs,
                starts=1 + (before.starts if before else 0),
            )
            self._state.records[record.id] = record
            self._save()  # before it starts: a kill from here on finds it interrupted
            self._busy[slot] = record.id
            self._watcher.started(record)
            order = Order(record.id, record.values, proposal.epochs, proposal.continues)
            self._runner.start(slot, order)

    def _end(self, name: str, outcome: Outcome) -> None:
        good = outcome.val_loss is not None
        record = self._state.records[name].model_copy(
            update={
                "status": "completed" if good else "failed",
                "val_loss": outcome.val_loss,
                "best_epoch": outcome.best_epoch,
                "epochs": outcome.epochs,
                "seconds": round(outcome.seconds, 3),
                "message": outcome.message,
            }
        )
        if outcome.val_loss is not None:
            self._proposals.completed(name, outcome.val_loss, outcome.best_epoch)
        else:
            self._proposals.failed(name, outcome.message)
        self._state.records[name] = record
        del self._busy[outcome.slot]
        self._save()
        self._watcher.ended(record)
        count = self._state.count
        if not count("completed") and count("failed") >= GIVE_UP_AFTER:
            raise FailedRunError(_nothing(self._state))

    def _save(self) -> None:
        self._state.seconds = self._budget.clock() - self._begun
        self._state.oracle = self._proposals.state
        self._state.save(self._folder)

    def _may_start(self) -> bool:
        # The first trial to finish is always waited for, or there would be no result.
        return not self._past_end() or not (self._busy or self._state.count("completed"))

    def _left(self) -> float | None:
        """Seconds until something has to be done although no trial says anything."""
        if self._budget.seconds is None or not self._state.count("completed"):
            return None
        return max(0.0, self._budget.seconds - (self._budget.clock() - self._begun))

    def _past_end(self) -> bool:
        spent = self._budget.clock() - self._begun
        return self._budget.seconds is not None and spent >= self._budget.seconds

    def _why(self) -> Ended:
        done = self._state.count("completed") + self._state.count("failed")
        if done >= self._budget.trials:
            return "trials"
        return "time" if self._past_end() else "space"


@contextmanager
def _closing(runner: Runner) -> Iterator[None]:
    try:
        yield
    finally:
        runner.close()


def _nothing(state: SearchState) -> str:
    failed = [record for record in state.records.values() if record.status == "failed"]
    reasons = list(dict.fromkeys(record.message for record in failed))
    return (
        f"tuning found nothing: all of {len(failed)} trials failed. "
        + " ".join(f"({i}) {reason}" for i, reason in enumerate(reasons[:3], start=1))
        + " Correct what they say, or the search space (tune.space), and run again."
    )
