"""KerasTuner's oracles, with a state that is taken and put back as a whole.

KerasTuner saves an oracle and its trials in files of their own, one after the other and in place:
a kill between two of them leaves a trial that runs for ever, one inside either leaves a torn file,
and its file of the oracle names a finished trial among the running ones until the next begins, so
that a killed search runs it again. The state of the random numbers of Bayesian optimisation is not
saved at all. Here nothing is written: `Proposals.state` is all of it, and `components.tune.state`
keeps it in one file.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from components.tune.coding import decoded
from components.tune.config import TuneConfig

OBJECTIVE = "val_loss"
FACTOR = 3
"""Of Hyperband: of so many trials one goes on, with so many times the epochs."""
FEWEST_RANDOM = 3
"""Least trials before the Gaussian process is asked."""


@dataclass(frozen=True)
class Proposal:
    """What to try next.

    Attributes:
        id: Of the trial.
        values: By dotted key, as they would stand in the configuration.
        epochs: Most epochs; None: as configured.
        continues: The trial that this one goes on from (Hyperband), or None.
    """

    id: str
    values: dict[str, Any]
    epochs: int | None = None
    continues: str | None = None


class _Ours:
    """What differs from KerasTuner's oracles; comes first among the bases."""

    start: dict[str, Any] | None = None

    def save(self) -> None:
        """Nothing: see the module."""

    def _save_trial(self, trial: Any) -> None:
        """Nothing: see the module."""

    def _check_consecutive_failures(self) -> None:
        """Nothing: the search decides; KerasTuner's own error would leave its lock taken."""

    def _random_values(self) -> Any:
        if self.start is not None and not self.trials:  # type: ignore[attr-defined]
            return dict(self.start)
        return super()._random_values()  # type: ignore[misc]


class _Random(_Ours, RandomSearchOracle):
    """Random search."""


class _Hyperband(_Ours, HyperbandOracle):
    """Hyperband."""


class _Bayesian(_Ours, BayesianOptimizationOracle):
    """Bayesian optimisation that never tries the same values twice."""

    def populate_space(self, trial_id: str) -> Any:
        """The optimum of the acquisition function, or random values where it was tried before."""
        # The matrices are tiny: threads would only wait for each other, and for the trials.
        with threadpool_limits(1), warnings.catch_warnings():
            # Few points leave the length of the kernel at its bound; that is no one's mistake.
            warnings.simplefilter("ignore", ConvergenceWarning)
            response = super().populate_space(trial_id)
        values = response.get("values")
        if values and self._duplicate(values):
            return self._random_populate_space()
        return response

    def get_state(self) -> dict[str, Any]:
        """KerasTuner's, and the random numbers."""
        name, keys, position, has_gauss, gauss = self._random_state.get_state()
        drawn = [name, keys.tolist(), position, has_gauss, gauss]
        return {**super().get_state(), "random_state": drawn}

    def set_state(self, state: dict[str, Any]) -> None:
        """See `get_state`."""
        super().set_state(state)
        name, keys, position, has_gauss, gauss = state["random_state"]
        self._random_state.set_state((name, np.array(keys, np.uint32), position, has_gauss, gauss))


class Proposals:
    """Proposes trials and learns from what became of them."""

    def __init__(
        self, tune: TuneConfig, space: Any, start: dict[str, Any] | None, *, epochs: int
    ) -> None:
        """Begins a search.

        Args:
            tune: Algorithm, seed and most trials.
            space: From `components.tune.space.hyperparameters`.
            start: Values of the first trial, as KerasTuner holds them; None: of its choice.
            epochs: Most epochs of a trial.
        """
        self._oracle = _oracle(tune, space, epochs)
        self._oracle.verbose = 0
        self._oracle.start = start

    def next(self, slot: int) -> Proposal | None:
        """The next trial for a slot that is free; interrupted ones come first.

        Returns:
            None if there is none now: there are enough, the space is used up, or (Hyperband) the
            results of running ones are needed first.
        """
        trial = self._oracle.create_trial(str(slot))
        if trial.status != "RUNNING":
            return None
        values = trial.hyperparameters.values
        epochs = values.get("tuner/epochs")
        return Proposal(
            id=trial.trial_id,
            values=decoded(values),
            epochs=None if epochs is None else int(epochs),
            continues=values.get("tuner/trial_id"),
        )

    def completed(self, trial_id: str, val_loss: float, best_epoch: int) -> None:
        """A trial came to `val_loss`, after the epoch `best_epoch`."""
        self._oracle.update_trial(trial_id, {OBJECTIVE: val_loss}, step=best_epoch)
        self._end(trial_id, "COMPLETED", None)

    def failed(self, trial_id: str, message: str) -> None:
        """A trial came to nothing."""
        self._end(trial_id, "FAILED", message)

    def _end(self, trial_id: str, status: str, message: str | None) -> None:
        trial = self._oracle.get_trial(trial_id)
        trial.status, trial.message = status, message
        self._oracle.end_trial(trial)

    def best(self) -> Any:
        """The `HyperParameters` of the best trial; None if no trial was completed."""
        found = self._oracle.get_best_trials(1)
        return found[0].hyperparameters if found and found[0].status == "COMPLETED" else None

    @property
    def state(self) -> dict[str, Any]:
        """All that `restore` needs, as JSON knows it."""
        trials = [trial.get_state() for trial in self._oracle.trials.values()]
        return {"oracle": self._oracle.get_state(), "trials": trials}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from `state`; trials that ran then are proposed again, before any new one."""
        trials = [Trial.from_state(values) for values in state["trials"]]
        self._oracle.trials = {trial.trial_id: trial for trial in trials}
        self._oracle.set_state(state["oracle"])
        running = {trial.trial_id for trial in self._oracle.ongoing_trials.values()}
        waiting = running | set(self._oracle._retry_queue)
        self._oracle._retry_queue = sorted(waiting, reverse=True)  # the last one is taken first
        self._oracle.ongoing_trials = {}


def _oracle(tune: TuneConfig, space: Any, epochs: int) -> Any:
    given = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "hyperparameters": space,
        "seed": tune.seed + 1,  # KerasTuner draws a seed by itself when it is given 0
        "allow_new_entries": False,
        "tune_new_entries": False,
    }
    if tune.algorithm == "random":
        return _Random(max_trials=tune.max_trials, **given)
    if tune.algorithm == "hyperband":
        oracle = _Hyperband(max_epochs=epochs, factor=FACTOR, hyperband_iterations=0, **given)
        oracle.max_trials = tune.max_trials
        return oracle
    # KerasTuner's own choice, three per key, would leave few of a small budget to the process.
    points = min(3 * len(tune.space), math.ceil(tune.max_trials / 3))
    points = max(FEWEST_RANDOM, points)
    return _Bayesian(max_trials=tune.max_trials, num_initial_points=points, **given)
